"""Compare two methods value by value, paired over seeds and units, with Holm's correction over all values."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mmulbench.core.registry import METRICS
from mmulbench.records.schema import Direction, RunResult
from mmulbench.report.aggregate import RETRAIN, MethodRow, RecordGroup
from mmulbench.report.columns import Column, part_columns
from mmulbench.report.differences import LEVEL, holm
from mmulbench.report.noise_floor import GAP, NoiseFloor
from mmulbench.report.paired import FEWEST_SEEDS, Interval, over_seeds
from mmulbench.report.paired_units import Units, gap_interval, unit_interval

COMPARED = (GAP, "mia", "forget_vs_retain_auc", "test", "retain", "forget")
"""Metrics that are compared; what is measured on each association path has a row for each."""

COST = "cost."
"""What the names of costs begin with, before the name of the field."""

COSTS = (("seconds_ratio", "Time / retrain"), ("seconds", "Time, s"))
"""Costs that are compared, of which the first counts that all records have."""

COUNTED = (("flops_ratio", "FLOPs / retrain"), ("flops", "FLOPs"))
"""The same, counted rather than measured: where it is alike for all seeds there is no interval."""


@dataclass(frozen=True)
class Compared:
    """Holds what is known of two methods' difference in one value.

    Attributes:
        name: key of the value in records, such as ``retrain_gap`` or ``mia/matching``; of a cost, ``cost.``
            and the name of the field.
        title: its name in tables.
        direction: what is better.
        first: value of the first method, mean over the common seeds.
        second: the same of the second method.
        retrain: the same of retrain; None where there is no reference, and of gap and cost.
        difference: first - second.
        seeds: the seeds that both have the value of.
        seed_interval: how sure the difference is for other seeds; None with fewer than `FEWEST_SEEDS`.
        unit_interval: how sure it is for other units, with the models of these seeds; None where records hold
            no numbers by unit of it.
        floor: mean distance of two retrains in this value; None where it was not measured.
        better: ``first`` or ``second``, whichever is better with every seed; empty where seeds disagree, or
            it takes retrain to say so.
        corrected: p-value after Holm's correction over all rows; None without interval.
    """

    name: str
    title: str
    direction: Direction
    first: float
    second: float
    retrain: float | None
    difference: float
    seeds: tuple[int, ...]
    seed_interval: Interval | None
    unit_interval: Interval | None
    floor: float | None
    better: str
    corrected: float | None = None

    @property
    def basis(self) -> str:
        """What the p-value rests on: ``seeds`` where there are enough, else ``units``; empty for nothing."""
        return "seeds" if self.seed_interval else "units" if self.unit_interval else ""

    @property
    def interval(self) -> Interval | None:
        """The interval of the basis."""
        return self.seed_interval or self.unit_interval

    @property
    def is_significant(self) -> bool:
        """Whether the difference is told from chance."""
        return self.corrected is not None and self.corrected < LEVEL


def compare_rows(
    first: MethodRow,
    second: MethodRow,
    group: RecordGroup | None = None,
    units: Units | None = None,
) -> list[Compared]:
    """Compare the records of two methods, of which each has one for every common seed.

    Args:
        first: records of one method in one variant.
        second: records of another, of the same table.
        group: references of this table, for the noise floor; None where there are none.
        units: scores by unit, by run id.

    Returns:
        A row for each value that both have, the gap first and the cost last.
    """
    seeds = sorted(set(first.done_seeds) & set(second.done_seeds))
    own, other = (_of_seeds(row, seeds) for row in (first, second))
    rows = [
        _compared(_Sides(own, other, group, units or {}), column)
        for column in _columns([*own.done, *other.done])
    ]
    return _corrected([row for row in rows if row is not None])


@dataclass(frozen=True)
class _Sides:
    """Holds what is compared."""

    first: MethodRow
    second: MethodRow
    group: RecordGroup | None = None
    units: Units = field(default_factory=dict)

    def pairs(self, seeds: Iterable[int]) -> list[tuple[RunResult, RunResult]]:
        """Return the records of both of some seeds."""
        own, other = ({one.spec.seed: one for one in row.done} for row in (self.first, self.second))
        return [(own[seed], other[seed]) for seed in seeds]

    def references(self, seeds: Iterable[int]) -> list[RunResult]:
        """Return the records of retrain of some seeds, as far as there are any."""
        row = self.group.row_of(RETRAIN) if self.group is not None else None
        own = {pair[0].spec.seed: pair[0] for pair in self.pairs(seeds)}
        return [one for one in (row.done if row else ()) if _is_retrain_of(one, own.get(one.spec.seed))]

    def floor(self, name: str) -> float | None:
        """Return the noise floor of a value."""
        if self.group is None or name.startswith(COST):
            return None
        found = NoiseFloor.of(self.group, name)
        return None if found is None else found.mean


def _of_seeds(row: MethodRow, seeds: Sequence[int]) -> MethodRow:
    return replace(row, records=tuple(one for one in row.done if one.spec.seed in seeds))


def _columns(records: Sequence[RunResult]) -> list[Column]:
    """Return what is compared: values by path, then one time and one number of operations."""
    metrics = part_columns([Column.of(METRICS.get(name)(name)) for name in COMPARED], records)
    costs = [
        next(
            (Column(f"{COST}{name}", title, "lower") for name, title in kinds if _all_have(records, name)),
            None,
        )
        for kinds in (COSTS, COUNTED)
    ]
    return [*metrics, *(one for one in costs if one is not None)]


def _all_have(records: Sequence[RunResult], cost: str) -> bool:
    return all(one.cost is not None and getattr(one.cost, cost) is not None for one in records)


def _numbers(row: MethodRow, name: str) -> dict[int, float]:
    return row.costs(name.removeprefix(COST)) if name.startswith(COST) else row.by_seed(name)


def _compared(sides: _Sides, column: Column) -> Compared | None:
    """Compare one value; None where no seed has it on both sides."""
    own, other = (_numbers(row, column.name) for row in (sides.first, sides.second))
    found = {
        pair[0].spec.seed: (own[seed], other[seed], _retrain(pair[0], column.name))
        for pair in sides.pairs(sides.first.done_seeds)
        if (seed := pair[0].spec.seed) in own and seed in other
    }
    if not found:
        return None
    seeds = tuple(sorted(found))
    differences = np.array([found[seed][0] - found[seed][1] for seed in seeds])
    difference = float(np.mean(differences))
    retrains = [retrain for _, _, retrain in found.values() if retrain is not None]
    return Compared(
        name=column.name,
        title=column.title,
        direction=column.direction,
        first=statistics.fmean(own for own, _, _ in found.values()),
        second=statistics.fmean(other for _, other, _ in found.values()),
        retrain=statistics.fmean(retrains) if len(retrains) == len(seeds) else None,
        difference=difference,
        seeds=seeds,
        seed_interval=over_seeds(differences),
        unit_interval=_by_units(sides, column.name, seeds, difference),
        floor=sides.floor(column.name),
        better=_better(column.direction, found.values()),
    )


def _is_retrain_of(reference: RunResult, record: RunResult | None) -> bool:
    """Return whether a record of retrain is that of the model that a run was compared with."""
    if record is None:
        return False
    return all(
        reference.values[name].value == value.retrain
        for name, value in record.values.items()
        if name in reference.values and name in ("test", "retain", "forget")
    )


def _retrain(record: RunResult, name: str) -> float | None:
    value = record.values.get(name)
    return None if value is None or name == GAP else value.retrain


def _by_units(sides: _Sides, name: str, seeds: Sequence[int], difference: float) -> Interval | None:
    if name == GAP:
        own, other = (_of_seeds(row, seeds) for row in (sides.first, sides.second))
        return gap_interval(own, other, sides.references(seeds), difference)
    return unit_interval(sides.pairs(seeds), name, difference, sides.units)


def _better(direction: Direction, numbers: Iterable[tuple[float, float, float | None]]) -> str:
    """Say which side is better with every seed.

    Args:
        direction: what is better.
        numbers: by seed the value of both sides and of retrain.
    """
    merits = [_merit(direction, *of_seed) for of_seed in numbers]
    if any(merit is None for merit in merits) or not any(merits):
        return ""
    known = [merit for merit in merits if merit is not None]
    return "first" if min(known) >= 0 else "second" if max(known) <= 0 else ""


def _merit(direction: Direction, own: float, other: float, retrain: float | None) -> float | None:
    """Say by how much one side is better than the other, with one seed; None where that is not known."""
    if direction == "lower":
        return other - own
    if direction == "closest_to_retrain":
        return None if retrain is None else abs(other - retrain) - abs(own - retrain)
    if direction == "not_below_retrain" and retrain is not None:  # to exceed retrain is no merit
        return min(own, retrain) - min(other, retrain)
    return own - other


def _corrected(rows: Sequence[Compared]) -> list[Compared]:
    """Correct the p-values for their number."""
    known = [row.interval.p for row in rows if row.interval is not None]
    found = iter(holm(np.array(known)).tolist() if known else [])
    return [row if row.interval is None else replace(row, corrected=next(found)) for row in rows]


def seeds_sentence(rows: Sequence[Compared]) -> str:
    """Say what the intervals of a table claim, and how little few seeds tell.

    Args:
        rows: all rows.
    """
    n = max(len(row.seeds) for row in rows)
    if n >= FEWEST_SEEDS:
        width = "" if n > 5 else f" With {n} seeds it is wide: what is not significant may still differ."
        return f"Significance is that over seeds: it holds for other seeds, too.{width}"
    seeds = f"{n} seed{'s' if n > 1 else ''}"
    return (
        f"With {seeds} in common there is no interval over seeds, which takes {FEWEST_SEEDS}. That over "
        "units says how these models would differ on other units, and nothing of models by another seed."
    )


def as_fields(row: Compared) -> Mapping[str, object]:
    """Return a row as a mapping of plain values, its intervals flat, for JSON and data frames.

    Args:
        row: the row.
    """
    intervals = {"seeds": row.seed_interval, "units": row.unit_interval}
    return {
        "value": row.name,
        "title": row.title,
        "direction": row.direction,
        "first": row.first,
        "second": row.second,
        "retrain": row.retrain,
        "difference": row.difference,
        "seeds": len(row.seeds),
        **{
            f"{field}_{level}": None if found is None else getattr(found, field)
            for level, found in intervals.items()
            for field in ("low", "high", "p", "n")
        },
        "basis": row.basis,
        "effect_size": None if row.interval is None else row.interval.effect,
        "p": None if row.interval is None else row.interval.p,
        "p_holm": row.corrected,
        "significant": row.is_significant,
        "better": row.better,
        "noise_floor": row.floor,
    }
