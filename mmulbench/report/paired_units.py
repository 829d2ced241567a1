"""Resample the units of two records of each seed, the same for both, to see how their difference varies."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mmulbench.records.published import MINIMUM_UNITS
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import MethodRow
from mmulbench.report.differences import REPEATS, Floats, draws, resampled_mean
from mmulbench.report.noise_floor import GAP, GAP_ATTACK
from mmulbench.report.paired import Interval, over_units, pooled_spread
from mmulbench.report.ranking import resampled_distances
from mmulbench.seeds import derive

if TYPE_CHECKING:
    import pyarrow as pa

Units = Mapping[str, "pa.Table"]
"""Scores by unit of records, by run id."""

Pair = tuple[RunResult, RunResult]
"""Records of both sides, of one seed."""

USE = "compare"
"""Name of the random draws."""

_drawn = functools.lru_cache(maxsize=4)(draws)
"""All values of a seed take the same draws; those of three seeds and of the test set are kept."""


def unit_interval(pairs: Sequence[Pair], key: str, difference: float, units: Units) -> Interval | None:
    """Judge the difference in one value by the units of each seed.

    Forget units are drawn within each seed, and where a list names them, the same for all seeds. Where both
    records keep scores by unit, test units are drawn, too, for the attack: one test set serves all seeds.

    Args:
        pairs: records of both sides by seed.
        key: name of a value that is a mean over forget units, such as ``forget`` or ``mia/matching``.
        difference: mean difference over the seeds.
        units: scores by unit, of the records that keep them.

    Returns:
        The interval; None where a seed lacks numbers by unit, or has fewer than `MINIMUM_UNITS`.
    """
    found = [_ByUnit.of(pair, key) for pair in pairs]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found) or min(one.differences.size for one in known) < MINIMUM_UNITS:
        return None
    total = np.zeros(REPEATS)
    for one, pair in zip(known, pairs, strict=True):
        total += one.resampled(_times(pair[0], one.differences.size))
    if key.startswith(f"{GAP_ATTACK}/"):
        for test in _test_sides(pairs, key.removeprefix(f"{GAP_ATTACK}/"), units):
            total += test.resampled(_drawn(test.differences.size, derive(0, f"{USE} test")))
    spread = pooled_spread([one.differences for one in known])
    count = sum(one.differences.size for one in known)
    return over_units(difference, total / len(pairs), count, spread)


def gap_interval(
    first: MethodRow, second: MethodRow, references: Sequence[RunResult], difference: float
) -> Interval | None:
    """Judge the difference in the gap to retrain by the forget units of each seed.

    Args:
        first: records of one side.
        second: records of the other, of the same seeds.
        references: record of retrain of each seed.
        difference: mean difference over the seeds.

    Returns:
        The interval; None where retrain or a side lacks numbers by unit, or there are too few units.
    """
    counts = [len(one.by_unit.get("pairs", ())) for one in references]
    if not counts or len(counts) < len(first.done_seeds) or min(counts) < MINIMUM_UNITS:
        return None
    judged = resampled_distances([first, second], [GAP], references)[GAP]
    if len(judged) < 2:
        return None
    own, other = judged
    return over_units(difference, own.samples - other.samples, sum(counts), None)


@dataclass(frozen=True)
class _ByUnit:
    """Holds by how much the values of two records differ at each unit of one set.

    Attributes:
        differences: (u,) difference of each unit.
        weights: (u,) how much each unit counts.
    """

    differences: Floats
    weights: Floats

    @classmethod
    def of(cls, pair: Pair, key: str) -> _ByUnit | None:
        """Return what two records say of their forget units; None where one says nothing."""
        first, second = (np.array(one.by_unit.get(key, ()), dtype=np.float64) for one in pair)
        pairs = [one.by_unit.get("pairs") for one in pair]
        if not first.size or first.size != second.size or pairs[0] != pairs[1]:
            return None
        # Utility is a mean over units, attacks and separation are means over pairs.
        weights = np.ones(first.size) if key == "forget" else np.array(pairs[0], dtype=np.float64)
        return cls(first - second, weights)

    def resampled(self, times: Floats) -> Floats:
        """Return by how much the mean difference is another, of each repeat."""
        mean = float(np.average(self.differences, weights=self.weights))
        return resampled_mean(self.differences, self.weights, times) - mean


def _times(record: RunResult, units: int) -> Floats:
    """Draw the forget units of a record: where a list names them, seeds have the same."""
    return _drawn(units, derive(0 if record.spec.forget is not None else record.spec.seed, USE))


def _test_sides(pairs: Sequence[Pair], path: str, units: Units) -> list[_ByUnit]:
    """Return what each test unit adds to the difference of two attacks, of every seed; or of none."""
    found = [
        _test_side(units[first.run_id], units[second.run_id], path)
        for first, second in pairs
        if first.run_id in units and second.run_id in units
    ]
    known = [one for one in found if one is not None]
    sizes = {one.differences.size for one in known}
    return known if len(known) == len(pairs) and len(sizes) == 1 else []


def _test_side(first: pa.Table, second: pa.Table, path: str) -> _ByUnit | None:
    own, other = (_losses(table, "test", path) for table in (first, second))
    if not own.units.size or not np.array_equal(own.units, other.units):
        return None
    added = [
        _shares_below(_losses(table, "forget", path), test.means)
        for table, test in ((first, own), (second, other))
    ]
    return _ByUnit(added[0] - added[1], own.pairs)


@dataclass(frozen=True)
class _Losses:
    """Holds the mean loss of each unit of a set on one path, and its pairs."""

    units: npt.NDArray[Any]
    means: Floats
    pairs: Floats


def _losses(table: pa.Table, split: str, path: str) -> _Losses:
    import pyarrow.compute as pc

    rows = table.filter(pc.and_(pc.equal(table["split"], split), pc.equal(table["path"], path)))
    rows = rows.sort_by("unit")
    units, means, pairs = (rows[name].to_numpy() for name in ("unit", "loss", "pairs"))
    return _Losses(units, means.astype(np.float64), pairs.astype(np.float64))


def _shares_below(forget: _Losses, points: Floats) -> Floats:
    """Compute which share of the forget set's pairs have a loss below each point, ties counted half."""
    order = np.argsort(forget.means)
    means, weights = forget.means[order], np.concatenate([[0.0], np.cumsum(forget.pairs[order])])
    ends = (weights[np.searchsorted(means, points, side)] for side in ("left", "right"))
    shares: Floats = sum(ends) / (2 * weights[-1])
    return shares
