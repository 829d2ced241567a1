"""Choose statements about pictures so that no statement's words tell whether it is true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Statement(NamedTuple):
    """Holds a statement about a picture, or a pair of pictures, and its truth.

    Attributes:
        text: words of the statement.
        truth: whether the statement is true of the picture.
    """

    text: str
    truth: bool


def balanced_choice(
    candidates: Sequence[Statement], each: int, tally: Counter[str], rng: np.random.Generator
) -> list[Statement]:
    """Choose as many true as false statements, and each text about as often true as false over all calls.

    Preferred as true (false) are statements that earlier calls chose more often as false (true).

    Args:
        candidates: statements to choose from.
        each: largest number of true statements, and of false ones.
        tally: by text, how much more often it was chosen as true than as false; updated.
        rng: generator that breaks ties.
    """
    shuffled = [candidates[place] for place in rng.permutation(len(candidates))]
    chosen: list[Statement] = []
    for truth, sign in ((True, 1), (False, -1)):
        fitting = [statement for statement in shuffled if statement.truth == truth]
        fitting.sort(key=lambda statement: sign * tally[statement.text])
        for statement in fitting[:each]:
            tally[statement.text] += sign
            chosen.append(statement)
    return chosen
