"""Tell whether a statement on two emoji is true, as in NLVR2."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from mmulbench import OFFLINE_INSTALL, TASKS, DataInfo, Integers, Progress, Recipe, TaskData, generator
from mmulbench.tasks._pictures.emoji_categories import CategorisedPicture, categorised_pictures
from mmulbench.tasks._pictures.near_twins import distinct_pictures
from mmulbench.tasks._pictures.pair_statements import candidate_statements
from mmulbench.tasks._pictures.picture_task import (
    LabelledText,
    PictureTask,
    split_pictures,
    spread,
    statement_data,
)
from mmulbench.tasks._pictures.statements import Statement, fair_choice

MOST = 60
"""Largest number of pictures of one category."""

TURNS = 3
"""Number of pairs in which a picture is the left one."""

EACH = 3
"""Number of true statements, and of false statements, on a pair."""

SAME = 0.4
"""Share of pairs that are drawn from pictures of the same group, so that "both" is often true."""


@dataclass(frozen=True)
class PicturePair:
    """Holds a pair of pictures with its statements.

    Attributes:
        left: number of the left picture.
        right: number of the right picture.
        statements: statements about the pair.
    """

    left: int
    right: int
    statements: list[Statement]


@TASKS.register("emoji_nlvr")
class EmojiNlvr(PictureTask):
    """Asks whether a statement about a pair of emoji pictures is true: NLVR2's form.

    Pictures are Twemoji's (72 x 72, on white). What a picture shows (an animal, a bird, food …) follows
    from Unicode's subgroup and name of the emoji; pictures that are not certainly one thing are left out,
    and where one may argue (is a pizza with tomatoes a fruit?) nothing is said. Statements are templates, not
    human sentences: "both pictures show food", "exactly one picture shows a flag", "an animal is left of a
    person". Each pair has three true and three false ones, drawn so that each statement is about as often
    true as false: its words do not tell its truth.

    70 / 10 / 20 % of the pictures are train, validation and test, the same for every seed; pairs are made
    within a split, so the splits share no picture, and no near twin (`distinct_pictures`). A picture is in
    six pairs on average.

    The forget unit is a pair of pictures with all its statements. Since its pictures are in other pairs too,
    a retrained model still knows them: what is forgotten is the pair. So test pictures have no twin in
    training, while a forgotten pair's pictures are themselves retained, by design. leaderboard.md has what
    methods reach on the task.
    """

    classes = ("false", "true")
    group = 2
    recipe = Recipe(epochs=20, lr=5e-4, weight_decay=0.01, batch_size=64, sampling="pair")
    forget_fraction = 0.06
    info = DataInfo(
        about="Pairs of 522 emoji pictures with statements, true or false: templates, not human texts.",
        terms="Pictures: CC-BY 4.0. Kinds: Unicode licence. docs/licences.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (1_091, 6_546), "validation": (145, 870), "test": (300, 1_800)},
        unit="picture pair",
        pair="statement",
    )

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read pictures from the installed packages and make the statements; ``data_dir`` is not used."""
        candidates = categorised_pictures("the task emoji_nlvr", MOST)
        pictures, images = distinct_pictures(spread(candidates, self.config.limit), progress)
        parts = split_pictures(images, test=20)
        splits = [_pairs(pictures, part, name) for name, part in parts._asdict().items()]
        groups = np.array([(pair.left, pair.right) for pairs in splits for pair in pairs], dtype=np.int64)
        starts = accumulate(map(len, splits), initial=0)
        texts = [_texts(pairs, start) for pairs, start in zip(splits, starts, strict=False)]
        return statement_data(images, texts, groups)


def _pairs(pictures: list[CategorisedPicture], part: Integers, name: str) -> list[PicturePair]:
    """Make pairs of one split's pictures with their statements; the draw is the same for every seed."""
    rng = generator(0, f"emoji_nlvr {name}")
    pairs: dict[tuple[int, int], list[Statement]] = {}
    for left in np.tile(part, TURNS).tolist():
        group = pictures[left].group
        alike = [i for i in part.tolist() if i != left and pictures[i].group is group]
        others = [i for i in part.tolist() if pictures[i].group is not group]
        pool = alike if alike and (rng.random() < SAME or not others) else others
        right = int(rng.choice(pool))
        if (left, right) not in pairs:
            pairs[left, right] = list(candidate_statements(pictures[left], pictures[right]))
    chosen = fair_choice(list(pairs.values()), [EACH] * len(pairs), rng)
    return [PicturePair(*pair, statements) for pair, statements in zip(pairs, chosen, strict=True)]


def _texts(pairs: list[PicturePair], start: int) -> list[LabelledText]:
    """List the statements of one split's pairs, which are the units from ``start`` on."""
    return [
        LabelledText(unit, text, int(truth))
        for unit, pair in enumerate(pairs, start)
        for text, truth in pair.statements
    ]
