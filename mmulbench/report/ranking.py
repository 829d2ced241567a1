"""Say which methods of a table cannot be told from the best, and which do not compete at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from mmulbench.records.published import MINIMUM_UNITS, UTILITY_TOLERANCE
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import RETRAIN, MethodRow, RecordGroup
from mmulbench.report.cells import points
from mmulbench.report.differences import REPEATS, Floats, apart, draws, like_the_best, shared_ranks
from mmulbench.report.noise_floor import GAP, GAP_ATTACK, GAP_UTILITIES, NoiseFloor
from mmulbench.seeds import derive

MINIMUM_SEEDS = 3
"""With fewer seeds nothing is ranked: each seed has a forget set and a retrain of its own."""

MINIMUM_DRAWS = 3
"""With fewer retrains by other training seeds, all seeds together, the noise floor is not known."""

RANKED = (GAP, "forget", "forget_vs_retain_auc", GAP_ATTACK)
"""Metrics that rows are ranked by: their distance to retrain, the last two on each association path."""


@dataclass(frozen=True)
class Ranking:
    """Holds what a table may say about who is best.

    Attributes:
        why_not: why nothing at all is ranked; empty where something is.
        out: by the label of a row that does not compete, the reason.
        best: by the name of a value, the labels of the rows that cannot be told from the best.
        ranks: by the label of a row, its rank by the gap; rows share that of one they cannot be told from.
    """

    why_not: str = ""
    out: Mapping[str, str] = field(default_factory=dict)
    best: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)


def rank(group: RecordGroup, keys: Sequence[str], never: Collection[str] = ()) -> Ranking:
    """Rank the rows of a table by their distance to retrain.

    Two rows are told apart by the rule of `mmulbench.report.differences.apart`.

    Args:
        group: the table.
        keys: names of the values to rank by, such as ``retrain_gap``, ``forget`` and ``mia/matching``;
            those without numbers for each forget unit are passed over.
        never: labels of rows that never forgot, which are not ranked.
    """
    rows = group.competing()
    out = {row.label: reason for row in rows if (reason := _lost_utility(row))}
    why_not = _why_not(group)
    if why_not:
        return Ranking(why_not, out)
    able = [row for row in rows if row.label not in out]
    if rows and not able:
        return Ranking("every row lost utility", out)
    retrain = group.row_of(RETRAIN)
    assert retrain is not None
    # Such small products gain nothing by threads, which spin while they wait.
    with threadpool_limits(1, "blas"):
        judged = resampled_distances(able, keys, retrain.done)
    if all(len(of_key) < 2 for of_key in judged.values()):
        return Ranking("fewer than two rows compete that have numbers for every seed and forget unit", out)
    best, ranks = {}, dict[str, int]()
    for key in keys:
        forgot = [row for row in judged[key] if row.label not in never and len(judged[key]) > 1]
        labels, means, told = _compared(forgot, key, group)
        best[key] = frozenset(labels[place] for place in np.flatnonzero(like_the_best(means, told)))
        if key == GAP:
            ranks = dict(zip(labels, shared_ranks(means, told), strict=True))
    return Ranking("", out, best, ranks)


def _why_not(group: RecordGroup) -> str:
    """Say why a table as a whole is not ranked; empty where it is."""
    units, seeds = group.key.forget_size, len(group.seeds)
    retrain, floor = group.row_of(RETRAIN), NoiseFloor.of(group, GAP)
    known = floor.draws if floor else 0
    if units < MINIMUM_UNITS:
        return f"{units} forget units are too few, it takes {MINIMUM_UNITS}"
    if seeds < MINIMUM_SEEDS:
        return f"{'1 seed is' if seeds == 1 else f'{seeds} seeds are'} too few, it takes {MINIMUM_SEEDS}"
    if known < MINIMUM_DRAWS:
        return f"the noise floor takes {MINIMUM_DRAWS} records of `retrain_again`, and there are {known}"
    if retrain is None or retrain.done_seeds != group.seeds:
        return "`retrain` has no record for every seed"
    if not all(record.by_unit for record in retrain.done):
        return "`retrain`'s records have no numbers for each forget unit"
    return ""


def _lost_utility(row: MethodRow) -> str:
    """Say which utility is too far below retrain's; empty where none is."""
    known = {name: row.difference(name) for name in ("test", "retain")}
    lost = [
        f"{name} {points(difference.mean)}"
        for name, difference in known.items()
        if difference is not None and round(difference.mean, 9) < -UTILITY_TOLERANCE
    ]
    return ", ".join(lost)


@dataclass(frozen=True)
class Judged:
    """Holds the distance to retrain of one row, by one value.

    Attributes:
        label: label of the row.
        mean: the distance, mean over seeds.
        by_seed: the same of each seed.
        samples: the mean of each bootstrap repeat.
    """

    label: str
    mean: float
    by_seed: tuple[float, ...]
    samples: Floats


def resampled_distances(
    rows: Sequence[MethodRow], keys: Sequence[str], references: Sequence[RunResult]
) -> dict[str, list[Judged]]:
    """Resample the forget units of the rows that have a value for every seed and forget unit.

    Args:
        rows: the rows.
        keys: names of the values.
        references: record of retrain of each seed.
    """
    records = [{record.spec.seed: record for record in row.done} for row in rows]
    sums: dict[tuple[int, str], Floats] = {
        (place, key): np.zeros(REPEATS)
        for place, of_row in enumerate(records)
        for key in keys
        if all(_has_units(of_row.get(reference.spec.seed), reference, key) for reference in references)
    }
    for reference in references:
        own = {place: records[place][reference.spec.seed] for place, _ in sums}
        names = sorted({name for _, key in sums for name in _names(key, reference)})
        attacks = _attacks(reference)
        values = _resampled([*own.values(), reference], names)
        retrain = values.pop()
        apart = {
            place: {name: np.abs(own_values[name] - retrain[name]) for name in own_values if name in retrain}
            for place, own_values in zip(own, values, strict=True)
        }
        for place, key in sums:
            sums[place, key] += _samples(own[place], attacks, key, apart[place])
    judged: dict[str, list[Judged]] = {key: [] for key in keys}
    for (place, key), total in sums.items():
        row = rows[place]
        distance = row.summary(key) if key == GAP else row.distance(key)
        if distance is not None:
            by_seed = row.by_seed(key) if key == GAP else row.distances(key)
            judged[key].append(
                Judged(row.label, distance.mean, tuple(by_seed.values()), total / len(references))
            )
    return judged


def _compared(
    judged: Sequence[Judged], key: str, group: RecordGroup
) -> tuple[list[str], Floats, npt.NDArray[np.bool_]]:
    """Return labels and distances of the rows judged by one value, and which of them are told apart.

    There are none where no noise floor of the value is known.
    """
    floor = NoiseFloor.of(group, key)
    if floor is None or not judged:
        return [], np.empty(0), np.empty((0, 0), dtype=np.bool_)
    means = np.array([row.mean for row in judged])
    told = apart(
        means,
        np.stack([row.samples for row in judged]),
        np.array([row.by_seed for row in judged]),
        floor.variance / len(group.seeds),
        floor.mean,
    )
    return [row.label for row in judged], means, told


def _names(key: str, reference: RunResult) -> list[str]:
    """Name the values by unit that a distance is computed from."""
    return [*_attacks(reference), "forget"] if key == GAP else [key]


def _has_units(record: RunResult | None, reference: RunResult, key: str) -> bool:
    """Check whether two records have a value for each of the same number of forget units."""
    units = len(reference.by_unit["pairs"])
    return (key != GAP or bool(_attacks(reference))) and all(
        one is not None and len(one.by_unit.get(name, ())) == units and one.values.get(name) is not None
        for one in (record, reference)
        for name in _names(key, reference)
    )


def _samples(record: RunResult, attacks: Sequence[str], key: str, apart: Mapping[str, Floats]) -> Floats:
    """Return the distance to retrain of each bootstrap repeat.

    Args:
        record: the record.
        attacks: names of the attack's values.
        key: name of the value that is judged.
        apart: by value, distance of the record to retrain with the same draws for both.
    """
    if key != GAP:
        return apart[key]
    fixed = sum(
        abs((value.value or 0.0) - (value.retrain or 0.0))
        for name in GAP_UTILITIES
        if name != "forget" and (value := record.values.get(name)) is not None
    )
    furthest = np.max([apart[name] for name in attacks], axis=0)
    gap: Floats = (fixed + apart["forget"] + furthest) / (len(GAP_UTILITIES) + 1)
    return gap


def _resampled(records: Sequence[RunResult], names: Sequence[str]) -> list[dict[str, Floats]]:
    """Resample the values of records of one seed, all in one product.

    Utility is a mean over units; attacks and separation are means over pairs.

    Args:
        records: the records, retrain's last; those that lack a value are left without.
        names: names of the values.

    Returns:
        For each record the values of each bootstrap repeat, around the recorded one.
    """
    reference = records[-1]
    units = len(reference.by_unit["pairs"])
    times = draws(units, derive(reference.spec.seed, "ranking"))
    places, columns, weights, around = [], [], [], []
    for place, record in enumerate(records):
        for name in names:
            by_unit = np.array(record.by_unit.get(name, ()), dtype=np.float64)
            if by_unit.size != units or name not in record.values:
                continue
            pairs = np.array(record.by_unit["pairs"] if name != "forget" else [1] * units, dtype=np.float64)
            places.append((place, name))
            columns.append(by_unit * pairs)
            weights.append(pairs)
            around.append((record.values[name].value or 0.0) - float(np.average(by_unit, weights=pairs)))
    found: list[dict[str, Floats]] = [{} for _ in records]
    sums = np.stack(columns) @ times.T if columns else np.empty((0, REPEATS))
    distinct = {pairs.tobytes(): pairs for pairs in weights}
    counts = {key: times @ pairs for key, pairs in distinct.items()}
    for (place, name), total, pairs, offset in zip(places, sums, weights, around, strict=True):
        found[place][name] = total / counts[pairs.tobytes()] + offset
    return found


def _attacks(record: RunResult) -> list[str]:
    return sorted(name for name in record.by_unit if name.startswith(f"{GAP_ATTACK}/"))
