"""Say which methods of a table cannot be told from the best, and which do not compete at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import RETRAIN, MethodRow, RecordGroup
from mmulbench.report.cells import points
from mmulbench.report.differences import Floats, draws, like_the_best, resampled_mean
from mmulbench.report.noise_floor import GAP, GAP_ATTACK, GAP_UTILITIES, NoiseFloor
from mmulbench.seeds import derive

MINIMUM_UNITS = 50
"""With fewer forget units nothing is ranked: one attack's AUC then has a standard error above .03."""

MINIMUM_SEEDS = 3
"""With fewer seeds nothing is ranked: each seed has a forget set and a retrain of its own."""

MINIMUM_DRAWS = 3
"""With fewer retrains by other training seeds, all seeds together, the noise floor is not known."""

RANKED = (GAP, "forget", "forget_vs_retain_auc", GAP_ATTACK)
"""Metrics that rows are ranked by: their distance to retrain, the last two on each association path."""

UTILITY_TOLERANCE = 0.03
"""A row this far below retrain in test or retain utility, on the mean over seeds, is not ranked."""


@dataclass(frozen=True)
class Ranking:
    """Holds what a table may say about who is best.

    Attributes:
        why_not: why nothing at all is ranked; empty where something is.
        out: by the label of a row that does not compete, the reason.
        best: by the name of a value, the labels of the rows that cannot be told from the best.
    """

    why_not: str = ""
    out: Mapping[str, str] = field(default_factory=dict)
    best: Mapping[str, frozenset[str]] = field(default_factory=dict)


def rank(group: RecordGroup, keys: Sequence[str]) -> Ranking:
    """Rank the rows of a table by their distance to retrain.

    Args:
        group: the table.
        keys: names of the values to rank by, such as ``retrain_gap``, ``forget`` and ``mia/matching``;
            those without numbers for each forget unit are passed over.
    """
    rows = group.competing()
    out = {row.label: reason for row in rows if (reason := _lost_utility(row))}
    why_not = _why_not(group)
    if why_not:
        return Ranking(why_not, out)
    able = [row for row in rows if row.label not in out]
    retrain = group.row_of(RETRAIN)
    assert retrain is not None
    references = [_Reference.of(record) for record in retrain.done]
    best = {key: _best(able, key, references, NoiseFloor.of(group, key)) for key in keys}
    if not any(best.values()):
        return Ranking("fewer than two rows compete that have numbers for every seed and forget unit", out)
    return Ranking("", out, best)


def _why_not(group: RecordGroup) -> str:
    """Say why a table as a whole is not ranked; empty where it is."""
    units, seeds = group.key.forget_size, len(group.seeds)
    retrain, floor = group.row_of(RETRAIN), NoiseFloor.of(group, GAP)
    known = floor.draws if floor else 0
    if units < MINIMUM_UNITS:
        return f"{units} forget units are too few, it takes {MINIMUM_UNITS}"
    if seeds < MINIMUM_SEEDS:
        return f"{seeds} seed{'s' if seeds > 1 else ''} are too few, it takes {MINIMUM_SEEDS}"
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
class _Reference:
    """Holds the retrain of one seed, and the draws of forget units that all rows of the seed share."""

    record: RunResult
    times: Floats

    @classmethod
    def of(cls, record: RunResult) -> _Reference:
        """Draw the units of a record of retrain."""
        return cls(record, draws(len(record.by_unit["pairs"]), derive(record.spec.seed, "ranking")))


def _best(
    rows: Sequence[MethodRow], key: str, references: Sequence[_Reference], floor: NoiseFloor | None
) -> frozenset[str]:
    """Return the labels of the rows that cannot be told from the best by one value; none below two rows."""
    judged: list[tuple[str, float, Floats]] = []
    for row in rows:
        distance = row.summary(key) if key == GAP else row.distance(key)
        samples = _samples_of(row, key, references)
        if distance is not None and samples is not None:
            judged.append((row.label, distance.mean, samples))
    if floor is None or len(judged) < 2:
        return frozenset()
    alike = like_the_best(
        np.array([mean for _, mean, _ in judged]),
        np.stack([samples for _, _, samples in judged]),
        floor.variance / len(references),
        floor.mean,
    )
    return frozenset(label for (label, _, _), is_best in zip(judged, alike, strict=True) if is_best)


def _samples_of(row: MethodRow, key: str, references: Sequence[_Reference]) -> Floats | None:
    """Return a row's distance of each bootstrap repeat, mean over seeds; None where a seed lacks numbers."""
    records = {record.spec.seed: record for record in row.done}
    by_seed: list[Floats] = []
    for reference in references:
        record = records.get(reference.record.spec.seed)
        if record is None or not _has_units(record, reference.record, key):
            return None
        by_seed.append(_samples(record, reference.record, key, reference.times))
    mean: Floats = np.mean(by_seed, axis=0)
    return mean


def _has_units(record: RunResult, reference: RunResult, key: str) -> bool:
    """Check whether two records have a value for each of the same number of forget units."""
    names = [*_attacks(reference), "forget"] if key == GAP else [key]
    units = len(reference.by_unit["pairs"])
    return (key != GAP or bool(_attacks(reference))) and all(
        len(one.by_unit.get(name, ())) == units and one.values.get(name) is not None
        for one in (record, reference)
        for name in names
    )


def _samples(record: RunResult, reference: RunResult, key: str, times: Floats) -> Floats:
    """Return the distance to retrain of each bootstrap repeat, with the same draws for both models."""
    if key != GAP:
        return np.abs(_resampled(record, key, times) - _resampled(reference, key, times))
    fixed = sum(
        abs((value.value or 0.0) - (value.retrain or 0.0))
        for name in GAP_UTILITIES
        if name != "forget" and (value := record.values.get(name)) is not None
    )
    attacks = [_samples(record, reference, name, times) for name in _attacks(reference)]
    parts = fixed + _samples(record, reference, "forget", times) + np.max(attacks, axis=0)
    gap: Floats = parts / (len(GAP_UTILITIES) + 1)
    return gap


def _attacks(record: RunResult) -> list[str]:
    return sorted(name for name in record.by_unit if name.startswith(f"{GAP_ATTACK}/"))


def _resampled(record: RunResult, key: str, times: Floats) -> Floats:
    """Return one model's value of each bootstrap repeat, around the recorded one.

    Utility is a mean over units; attacks and separation are means over pairs.
    """
    by_unit, point = np.array(record.by_unit[key], dtype=np.float64), record.values[key].value or 0.0
    pairs = np.ones_like(by_unit) if key == "forget" else np.array(record.by_unit["pairs"], dtype=np.float64)
    return point + resampled_mean(by_unit, pairs, times) - float(np.average(by_unit, weights=pairs))
