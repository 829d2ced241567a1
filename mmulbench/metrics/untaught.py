"""Tell whether an original learned an association path at all: else there is nothing to forget on it.

A model that judges every pair alike looks the same before unlearning, after it and when retrained. So every
metric of such a path is as good as it can be, and says nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

CHANCE = 0.05
"""Share of AUCs of scores that order nothing that lie above `most_by_chance`."""


@dataclass(frozen=True)
class Untaught:
    """Describes a path on which nothing shows that the original learned anything.

    Attributes:
        path: name of the path.
        auc: AUC by which its scores tell the forget set's pairs from unrelated ones.
        limit: AUC that chance alone reaches.
    """

    path: str
    auc: float
    limit: float

    def __str__(self) -> str:
        return (
            f"nothing shows that the original learned its {self.path} path: it tells the forget set's pairs "
            f"from unrelated ones with AUC {self.auc:.2f}, and chance reaches {self.limit:.2f}"
        )


def untaught(path: str, auc: float, forget: int, unrelated: int) -> Untaught | None:
    """Say whether nothing shows that an original learned a path; None where something does.

    Args:
        path: name of the path.
        auc: AUC by which the original tells the forget set's pairs, which it was trained on, from unrelated
            ones.
        forget: number of the forget set's pairs.
        unrelated: number of the unrelated ones.
    """
    limit = most_by_chance(unrelated, forget)
    return Untaught(path, auc, limit) if auc <= limit else None


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
