"""Tell whether a statement follows from a flag, as in SNLI-VE."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmulbench import (
    OFFLINE_INSTALL,
    TASKS,
    DataInfo,
    Integers,
    Progress,
    Recipe,
    TaskData,
    generator,
)
from mmulbench.tasks._pictures.factbook_flags import Flag, read_flags
from mmulbench.tasks._pictures.flag_facts import certain_facts, hypotheses, meanings
from mmulbench.tasks._pictures.near_twins import distinct_pictures
from mmulbench.tasks._pictures.picture_task import (
    LabelledText,
    PictureTask,
    split_pictures,
    spread,
    statement_data,
)
from mmulbench.tasks._pictures.statements import fair_choice

ENTAILMENT, NEUTRAL, CONTRADICTION = range(3)

EACH = 6
"""Largest number of entailed hypotheses on a flag; there are always as many contradicted ones, and half as
many neutral ones."""


@TASKS.register("flags_ve")
class FlagsVe(PictureTask):
    """Asks whether a statement follows from a flag, contradicts it, or says what the flag cannot tell.

    The form is SNLI-VE's, the premise a Twemoji flag; near twins are left out as in the task flags.
    Hypotheses are made by templates from the descriptions of flags in the CIA World Factbook; they are not
    human sentences. A label is given only where it is certain:

    - Colours (red, blue, yellow, green, white, black): a colour is in the flag where the caption names it
      *and* the picture shows it, and is not where the caption does not name it *and* the picture has none
      of it, not even a similar one. Where caption and picture disagree, as with a coat of arms whose colours
      nobody lists, nothing is said of the colour.
    - Symbols and bands: only of flags whose caption is understood in full, that is, whose every word is a
      colour, a shape, a place or a number. Such a caption names all there is: what it names is there, what
      it does not name is not. Words that leave a symbol open (a diagonal makes triangles) settle nothing.
    - Entailment and contradiction are statements that this settles, such as "there is no red in the flag",
      "the flag has blue and white", "the flag shows a star".
    - Neutral is what a colour stands for, in the words of a caption of the split: a picture cannot tell it,
      whether or not it is true. The colour named is always in the flag.

    Every flag has as many entailed as contradicted hypotheses, six as a rule, and a statement is entailed
    about as often as it is contradicted. Neutral ones are recognised by their words, so there are half as
    many. A model that never looks at the picture, but takes each statement's most frequent label in training,
    is right in about three fifths of the test set, the best constant answer in two fifths.

    70 / 10 / 20 % of the flags are train, validation and test, the same for every seed; the splits share no
    picture. The forget unit is a flag with all its hypotheses.

    The task is a small demonstration: no attack can judge a forget set of its default size, and there are too
    few flags in the world for a larger one that leaves most of them. leaderboard.md holds no values of it.
    """

    classes = ("entailment", "neutral", "contradiction")
    recipe = Recipe(epochs=36, lr=4e-4, weight_decay=0.01, batch_size=32, sampling="pair")
    forget_fraction = 0.1
    info = DataInfo(
        about="221 flag pictures with statements from the CIA World Factbook: templates, not human texts.",
        terms="Pictures: CC-BY 4.0. Texts: public domain. docs/licences.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (155, 2_252), "validation": (22, 306), "test": (44, 620)},
        unit="flag",
        pair="hypothesis",
    )

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read pictures and captions and make the hypotheses; ``data_dir`` is not used."""
        entries = spread(read_flags("the task flags_ve"), self.config.limit)
        flags, images = distinct_pictures(entries, progress)
        parts = split_pictures(images, test=20)
        return statement_data(
            images, [_texts(flags, images, part, name) for name, part in parts._asdict().items()]
        )


def _texts(flags: list[Flag], images: NDArray[np.uint8], part: Integers, name: str) -> list[LabelledText]:
    """Make the hypotheses on one split's flags; the draw is the same for every seed."""
    rng = generator(0, f"flags_ve {name}")
    reasons = meanings(flags[index] for index in part)
    facts = [certain_facts(flags[index], images[index]) for index in part]
    settled = [hypotheses(one) for one in facts]
    true = [sum(one.truth for one in found) for found in settled]
    each = [min(EACH, count, len(found) - count) for count, found in zip(true, settled, strict=True)]
    texts = [
        LabelledText(index, text, ENTAILMENT if truth else CONTRADICTION)
        for index, chosen in zip(part.tolist(), fair_choice(settled, each, rng), strict=True)
        for text, truth in chosen
    ]
    for index, one, most in zip(part.tolist(), facts, each, strict=True):
        unsettled = [
            f"the {colour} stands for {reason}" for colour in sorted(one.shown) for reason in reasons
        ]
        neutral = min((most + 1) // 2, len(unsettled))
        drawn = rng.choice(unsettled, neutral, replace=False).tolist()
        texts += [LabelledText(index, text, NEUTRAL) for text in drawn]
    return texts
