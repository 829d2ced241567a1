"""Measure how far two retrains of one forget set lie apart: what no method can be asked to undercut."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass

from mmulbench.report.aggregate import RETRAIN_AGAIN, RecordGroup

GAP = "retrain_gap"
GAP_UTILITIES = ("test", "retain", "forget")
GAP_ATTACK = "mia"
"""The gap is the mean of four distances: of three utilities, and of the attack on its furthest path."""


@dataclass(frozen=True)
class NoiseFloor:
    """Holds by how much retrains by other training seeds miss the retrain of the same forget set.

    Attributes:
        mean: mean distance, over the draws of a seed first, then over seeds.
        low: smallest distance of a draw.
        high: largest distance of a draw.
        draws: number of draws, all seeds together.
        variance: variance by the training seed alone, of one model's value.
    """

    mean: float
    low: float
    high: float
    draws: int
    variance: float

    @classmethod
    def of(cls, group: RecordGroup, key: str) -> NoiseFloor | None:
        """Measure the floor of one value.

        Args:
            group: the table.
            key: name of the value in records, such as ``retrain_gap`` or ``mia/matching``.

        Returns:
            The floor; None where no retrain by another seed has the value.
        """
        by_seed: defaultdict[int, list[float]] = defaultdict(list)
        for seed, own, reference in _draws(group, key):
            by_seed[seed].append(own if key == GAP else abs(own - reference))
        distances = [distance for of_seed in by_seed.values() for distance in of_seed]
        if not distances:
            return None
        return cls(
            statistics.fmean(map(statistics.fmean, by_seed.values())),
            min(distances),
            max(distances),
            len(distances),
            _variance_of_gap(group) if key == GAP else _variance(group, key),
        )


def _draws(group: RecordGroup, key: str) -> list[tuple[int, float, float]]:
    """Return seed, value and retrain's value of each draw."""
    row = group.row_of(RETRAIN_AGAIN)
    return [
        (seed, value.value, value.retrain or 0.0)
        for seed, value in (row.values(key) if row else [])
        if value.value is not None and (value.retrain is not None or key == GAP)
    ]


def _variance(group: RecordGroup, key: str) -> float:
    """Pool over seeds the sample variance of retrain and its other draws."""
    by_seed: defaultdict[int, list[float]] = defaultdict(list)
    for seed, own, reference in _draws(group, key):
        by_seed[seed] = by_seed[seed] or [reference]
        by_seed[seed].append(own)
    squares = sum(statistics.variance(models) * (len(models) - 1) for models in by_seed.values())
    freedom = sum(len(models) - 1 for models in by_seed.values())
    return squares / freedom if freedom else 0.0


def _variance_of_gap(group: RecordGroup) -> float:
    """Add up the parts of the gap: far from retrain it is a sum of signed differences.

    Near retrain, where distances are folded at 0, its own variance is smaller, and would be too small for
    methods that are not near.
    """
    attacks = [_variance(group, f"{GAP_ATTACK}/{path}") for path in group.paths()]
    parts = [*(_variance(group, name) for name in GAP_UTILITIES), max(attacks, default=0.0)]
    return sum(parts) / len(parts) ** 2
