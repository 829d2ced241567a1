"""Choose statements about pictures so that neither their words nor other choices tell their truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmulbench import Integers

ROUNDS = 16
"""Number of trial draws that weights are learned from."""


class Statement(NamedTuple):
    """Holds a statement about a picture, or a pair of pictures, and its truth.

    Attributes:
        text: words of the statement.
        truth: whether the statement is true of the picture.
    """

    text: str
    truth: bool


class _Candidates(NamedTuple):
    """Holds the candidates of all units.

    Attributes:
        side: (c,) number of the unit, twice, plus 1 where the statement is true.
        text: (c,) number of the words.
        truth: (c,) 1 where the statement is true, else 0.
        each: (c,) number of statements that are chosen of the candidate's side.
    """

    side: Integers
    text: Integers
    truth: Integers
    each: Integers

    def draw(self, weights: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Draw candidates without replacement; ``weights`` (t, 2) are logarithms, by text and truth."""
        waits = np.log(rng.standard_exponential(len(self.side))) - weights[self.text, self.truth]
        order = np.lexsort((waits, self.side))
        sides = self.side[order]
        rank = np.arange(len(sides)) - np.searchsorted(sides, sides)
        chosen = np.empty(len(sides), dtype=bool)
        chosen[order] = rank < self.each[order]
        return chosen


def fair_choice(
    candidates: Sequence[Sequence[Statement]], each: Sequence[int], rng: np.random.Generator
) -> list[list[Statement]]:
    """Choose as many true as false statements on each unit, and each text as often true as false on average.

    Words are drawn with weights, and every unit on its own. The weights are learned from trial draws: words
    that were more often true than false are made rarer where they are true. Exact balance over all units
    would tell the truth of a statement on a deleted unit: the one that is missing.

    Args:
        candidates: statements to choose from, by unit.
        each: by unit, largest number of true statements, and of false ones.
        rng: generator of all draws.
    """
    numbers: dict[str, int] = {}
    rows = [
        (2 * unit + one.truth, numbers.setdefault(one.text, len(numbers)), one.truth, most)
        for unit, (found, most) in enumerate(zip(candidates, each, strict=True))
        for one in found
    ]
    table = _Candidates(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)
    weights = np.zeros((len(numbers), 2))
    for _ in range(ROUNDS):
        chosen = table.draw(weights, rng)
        counts = np.zeros_like(weights)
        np.add.at(counts, (table.text[chosen], table.truth[chosen]), 1)
        surplus = np.log((counts[:, 1] + 1) / (counts[:, 0] + 1)) / 2
        weights += np.stack([surplus, -surplus], axis=1)
    statements = [one for found in candidates for one in found]
    drawn: list[list[Statement]] = [[] for _ in candidates]
    for place in np.flatnonzero(table.draw(weights, rng)).tolist():
        drawn[table.side[place] // 2].append(statements[place])
    return drawn
