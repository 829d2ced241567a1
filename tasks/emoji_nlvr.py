"""Is a statement on two emoji pictures true? NLVR2's form, on pictures from installed packages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from mmulbench import (
    OFFLINE_INSTALL,
    TASKS,
    DataInfo,
    Integers,
    Progress,
    RawItems,
    Recipe,
    Split,
    TaskData,
    data_fingerprint,
    generator,
)
from mmulbench.tasks._pictures.emoji_categories import CategorisedPicture, categorised_pictures
from mmulbench.tasks._pictures.pair_statements import candidate_statements
from mmulbench.tasks._pictures.picture_task import (
    PictureTask,
    balanced_choice,
    columns,
    read_pictures,
    split_pictures,
    spread,
)

StatementsByPair = dict[tuple[int, int], list[tuple[str, bool]]]
"""By pair of pictures (left, right), its statements and whether they are true."""


@TASKS.register("emoji_nlvr")
class EmojiNlvr(PictureTask):
    """Pairs of emoji pictures with statements that are exactly true or false: NLVR2's form.

    Pictures are Twemoji's (72 x 72, on white). What a picture shows (an animal, a bird, food …) follows
    from Unicode's subgroup and name of the emoji; pictures that are not certainly one thing are left out,
    and where one may argue (is a pizza with tomatoes a fruit?) nothing is said. Statements are templates, not
    human sentences: "both pictures show food", "exactly one picture shows a flag", "an animal is left of a
    person". Each pair has three true and three false ones, drawn so that each statement is about as often
    true as false: its words do not tell its truth.

    70 / 10 / 20 % of the pictures are train, validation and test, the same for every seed; pairs are made
    within a split, so the splits share no picture. A picture is in six pairs on average.

    The forget unit is a pair of pictures with all its statements. Since its pictures are in other pairs too,
    a retrained model still knows them: what is forgotten is the pair.

    Measured values of all methods: leaderboard.md.
    """

    modalities = ("image", "text")
    classes = ("false", "true")
    group = 2
    default_backbone = "albef:packaged"
    recipe = Recipe(epochs=12, lr=5e-4, weight_decay=0.01, batch_size=64, sampling="pair")
    info = DataInfo(
        about="Pairs of 534 emoji pictures with statements, true or false: templates, not human texts.",
        terms="Pictures: CC-BY 4.0. Kinds: Unicode licence. README.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (1_112, 6_672), "validation": (147, 882), "test": (309, 1_854)},
        unit="picture pair",
        pair="statement",
    )

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read pictures from the installed packages and make the statements; ``data_dir`` is not used."""
        known = spread(categorised_pictures("the task emoji_nlvr", MOST), self.config.limit)
        images = read_pictures([one.file for one in known], progress)
        made = [
            _pairs(known, part, name)
            for part, name in zip(
                split_pictures(images, test=20), ("train", "validation", "test"), strict=True
            )
        ]
        groups = np.array([pair for pairs in made for pair in pairs], dtype=np.int64)
        texts: dict[str, int] = {}
        splits, start = [], 0
        for pairs in made:
            splits.append(_split(pairs, start, texts))
            start += len(pairs)
        train, validation, test = splits
        return TaskData(
            items={
                "image": RawItems(images=images, groups=groups),
                "text": RawItems(texts=tuple(texts)),
            },
            train=train,
            validation=validation,
            test=test,
            fingerprint=data_fingerprint((images, groups, *columns(train, validation, test)), list(texts)),
        )


MOST = 60
"""Pictures of one kind at most."""

TURNS = 3
"""Pairs in which a picture is the left one."""

EACH = 3
"""True statements, and false statements, on a pair."""

SAME = 0.4
"""Share of pairs that are drawn from pictures of the same group, so that "both" is often true."""


def _pairs(known: list[CategorisedPicture], part: Integers, name: str) -> StatementsByPair:
    """Pairs of one split's pictures with their statements; the draw is the same for every seed."""
    rng, tally = generator(0, f"emoji_nlvr {name}"), Counter[str]()
    made: StatementsByPair = {}
    for left in np.tile(part, TURNS).tolist():
        alike = [i for i in part.tolist() if i != left and known[i].group is known[left].group]
        others = [i for i in part.tolist() if known[i].group is not known[left].group]
        pool = alike if alike and (rng.random() < SAME or not others) else others
        right = int(rng.choice(pool))
        if (left, right) not in made:
            found = list(candidate_statements(known[left], known[right]))
            made[left, right] = balanced_choice(found, EACH, tally, rng)
    return made


def _split(pairs: StatementsByPair, start: int, texts: dict[str, int]) -> Split:
    rows = [
        (start + unit, texts.setdefault(text, len(texts)), int(truth))
        for unit, statements in enumerate(pairs.values())
        for text, truth in statements
    ]
    return Split(*np.array(rows, dtype=np.int64).T.copy())
