"""Tell whether an original learned an association path at all: else there is nothing to forget on it.

A model that judges every pair alike looks the same before unlearning, after it and when retrained. So every
metric of such a path is as good as it can be, and says nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

LEARNED = 0.6
"""AUC above which a path counts as learned. Less is a trace, by which nothing can be judged."""

CHANCE = 0.05
"""Share of AUCs of scores that order nothing that lie above `most_by_chance`."""


@dataclass(frozen=True)
class Untaught:
    """Describes a path on which an original learned next to nothing.

    Attributes:
        path: name of the path.
        auc: AUC by which its scores tell the forget set's pairs from unrelated ones.
    """

    path: str
    auc: float

    def __str__(self) -> str:
        return (
            f"the original learned next to nothing on its {self.path} path: it tells the forget set's pairs "
            f"from unrelated ones with AUC {self.auc:.2f}, and above {LEARNED:.2f} counts as learned"
        )


def untaught(path: str, auc: float, forget: int, unrelated: int) -> Untaught | None:
    """Say whether an original learned next to nothing on a path.

    None where it learned something, or where chance alone would exceed `LEARNED` by so few pairs.

    Args:
        path: name of the path.
        auc: AUC by which the original tells the forget set's pairs, which it was trained on, from unrelated
            ones.
        forget: number of the forget set's pairs.
        unrelated: number of the unrelated ones.

    Raises:
        ValueError: one of the numbers is 0.

    Example:
        >>> untaught("matching", 0.519, forget=568, unrelated=568)
        Untaught(path='matching', auc=0.519)
        >>> untaught("matching", 0.952, forget=568, unrelated=568) is None
        True
    """
    is_known = most_by_chance(unrelated, forget) < LEARNED
    return Untaught(path, auc) if is_known and auc <= LEARNED else None


def most_by_chance(negative: int, positive: int) -> float:
    """Compute the AUC that scores that order nothing exceed one time in twenty.

    Source: Mann and Whitney (1947), the normal approximation of their statistic.

    Args:
        negative: number of scores of the class 0.
        positive: number of scores of the class 1.

    Returns:
        The AUC, above .5; 1 at most.

    Raises:
        ValueError: a side is empty.

    Example:
        >>> round(most_by_chance(600, 600), 3)
        0.527
    """
    if min(negative, positive) < 1:
        raise ValueError(f"{negative} and {positive} scores; give at least one of each class")
    spread = math.sqrt((negative + positive + 1) / (12 * negative * positive))
    return min(1.0, 0.5 + NormalDist().inv_cdf(1 - CHANCE) * spread)
