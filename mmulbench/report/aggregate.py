"""Group records into tables that may be compared, and summarise rows over seeds."""

from __future__ import annotations

import json
import math
import re
import shlex
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from mmulbench.hashing import canonical_json
from mmulbench.records.group_key import GroupKey
from mmulbench.records.schema import OUTSIDE, Cost, RunResult, RunSpec, Scalar, Value

RETRAIN = "retrain"
RETRAIN_AGAIN = "retrain_again"
"""Method of the retrains by other training seeds; all of a table are one row, the noise floor."""

ORIGINAL = "original"
REFERENCES = (RETRAIN, RETRAIN_AGAIN, ORIGINAL)
"""Rows that are no unlearning methods, in the order in which they come first; they are never ranked."""

_PLAIN = re.compile(r"[\w ./:=+@%,-]*", re.ASCII)
"""Commands that a shell takes apart at spaces alone."""

LABELS = {RETRAIN_AGAIN: "retrain′"}
"""How tables name methods whose rows have another name than they."""


class Variant(NamedTuple):
    """Holds what the runs of one row share besides the method's name."""

    config: str
    """Canonical JSON."""

    plugin: str
    """Digest of the plug-in file the method is from; empty for other methods."""

    @classmethod
    def of(cls, spec: RunSpec) -> Variant:
        """Return the variant of a run's method; the draws of `RETRAIN_AGAIN` are one."""
        config = {} if spec.method == RETRAIN_AGAIN else spec.config
        return cls(canonical_json(config), spec.plugins.get(spec.method, ""))


class Place(NamedTuple):
    """Holds the seed of a run and what its seconds depend on: runs of one place have one retrain."""

    seed: int
    device: str
    cpu: str | None
    threads: int
    processes: int

    @classmethod
    def of(cls, record: RunResult) -> Place:
        """Return where a run was made, and its seed."""
        where = record.environment
        return cls(record.spec.seed, where.device, where.cpu, where.threads, where.processes)


@dataclass(frozen=True)
class SeedSummary:
    """Holds mean and sample standard deviation (None for a single seed) over ``n`` seeds."""

    mean: float
    sd: float | None
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> SeedSummary | None:
        """Summarise the values, one per seed; None where there is none."""
        numbers = list(values)
        if not numbers:
            return None
        mean, n = statistics.fmean(numbers), len(numbers)
        # As exact as `statistics.stdev`, which computes with fractions and takes ten times as long.
        sd = math.sqrt(math.fsum((one - mean) ** 2 for one in numbers) / (n - 1)) if n > 1 else None
        return cls(mean, sd, n)


@dataclass(frozen=True)
class MethodRow:
    """Holds the records of one method in one variant by seed, none for a method that was not run.

    A seed has one record, except in the row of `RETRAIN_AGAIN`, where it has several draws. Every summary
    takes the mean over the draws of a seed first.

    Attributes:
        retrains: what the retrains cost that the table has records of, by where they were made.
    """

    method: str
    label: str
    records: tuple[RunResult, ...]
    retrains: Mapping[Place, Cost] = field(default_factory=dict, repr=False)

    @cached_property
    def done(self) -> tuple[RunResult, ...]:
        """The records that hold numbers."""
        return tuple(record for record in self.records if record.status == "done")

    @cached_property
    def done_seeds(self) -> tuple[int, ...]:
        """The seeds that have a record with numbers."""
        return tuple(sorted({record.spec.seed for record in self.done}))

    @property
    def is_reference(self) -> bool:
        """Whether this is a retrain or the original rather than an unlearning method."""
        return self.method in REFERENCES

    @property
    def is_tuned(self) -> bool:
        """Whether all its settings are those that a study came to."""
        return any(record.is_tuned for record in self.records)

    @property
    def is_outside(self) -> bool:
        """Whether its models were made elsewhere, by code and a budget that nobody here has seen."""
        return self.method.startswith(OUTSIDE)

    @cached_property
    def is_default(self) -> bool:
        """Whether its settings are the method's own; the command of a record names all others."""
        return all(_has_own_settings(record.command) for record in self.records)

    def missing_seeds(self, expected: Iterable[int]) -> list[int]:
        """Return the expected seeds that have no record of any status."""
        return sorted(set(expected) - {record.spec.seed for record in self.records})

    def statuses(self) -> Counter[str]:
        """Count the records of each status."""
        return Counter(record.status for record in self.records)

    def values(self, metric: str) -> list[tuple[int, Value]]:
        """Return a measure of every record that has it, with the record's seed."""
        return self._values.get(metric, [])

    @cached_property
    def _values(self) -> dict[str, list[tuple[int, Value]]]:
        """The values of all records by name, with the record's seed: gathered once for all columns."""
        found: defaultdict[str, list[tuple[int, Value]]] = defaultdict(list)
        for record in self.done:
            for name, value in record.values.items():
                found[name].append((record.spec.seed, value))
        return dict(found)

    @cached_property
    def _summaries(self) -> dict[tuple[str, str], SeedSummary | None]:
        """Summaries that were asked for, by their kind and the name of the value."""
        return {}

    def by_seed(self, metric: str) -> dict[int, float]:
        """Return a measure of each seed in which it could be computed."""
        return _by_seed((seed, value.value) for seed, value in self.values(metric))

    def differences(self, metric: str) -> dict[int, float]:
        """Return value - retrain of each seed, compared with its own retrain."""
        return _by_seed((seed, _difference(value)) for seed, value in self.values(metric))

    def distances(self, metric: str) -> dict[int, float]:
        """Return |value - retrain| of each seed, compared with its own retrain."""
        found = ((seed, _difference(value)) for seed, value in self.values(metric))
        return _by_seed((seed, None if number is None else abs(number)) for seed, number in found)

    def summary(self, metric: str) -> SeedSummary | None:
        """Summarise a measure over the seeds in which it could be computed."""
        return self._summary("value", metric, self.by_seed)

    def difference(self, metric: str) -> SeedSummary | None:
        """Summarise value - retrain over seeds."""
        return self._summary("difference", metric, self.differences)

    def distance(self, metric: str) -> SeedSummary | None:
        """Summarise |value - retrain| over seeds."""
        return self._summary("distance", metric, self.distances)

    def _summary(
        self, kind: str, metric: str, numbers: Callable[[str], dict[int, float]]
    ) -> SeedSummary | None:
        key = (kind, metric)
        if key not in self._summaries:
            self._summaries[key] = SeedSummary.of(numbers(metric).values())
        return self._summaries[key]

    def chance(self, metric: str) -> SeedSummary | None:
        """Summarise over seeds what chance would give."""
        return SeedSummary.of(_by_seed((seed, value.chance) for seed, value in self.values(metric)).values())

    def cost(self, field: str) -> SeedSummary | None:
        """Summarise one number of `Cost`, by its field name, over seeds.

        A record has its ratios to the retrain that its run found in the cache. Where that was trained anew
        between two runs, each has the seconds of another. So ratios are to the retrain that has a record.
        """
        return SeedSummary.of(self.costs(field).values())

    def costs(self, field: str) -> dict[int, float]:
        """Return one number of `Cost`, by its field name, of each seed; ratios as `cost` does."""
        found = ((one.spec.seed, one.cost, self.retrains.get(Place.of(one))) for one in self.done)
        return _by_seed((seed, _number(cost, retrain, field)) for seed, cost, retrain in found if cost)


@dataclass(frozen=True)
class RecordGroup:
    """Holds one table: rows in display order and the seeds that any of them was run with."""

    key: GroupKey
    seeds: tuple[int, ...]
    rows: tuple[MethodRow, ...]

    def competing(self) -> list[MethodRow]:
        """Return the rows that may be ranked: unlearning methods run here, each by its tuned settings.

        Where a method has none, its own settings count. Others, such as ablations, would be further tries.
        """
        own = [row for row in self.rows if row.records and not (row.is_reference or row.is_outside)]
        best: defaultdict[str, int] = defaultdict(int)
        for row in own:
            best[row.method] = max(best[row.method], _standing(row))
        return [row for row in own if _standing(row) == best[row.method]]

    def row_of(self, method: str) -> MethodRow | None:
        """Return the only row of a reference; None where it has no record."""
        return next((row for row in self.rows if row.method == method and row.records), None)

    def paths(self) -> tuple[str, ...]:
        """Return the association paths of the models in the table, by name."""
        return tuple(sorted({path for row in self.rows for r in row.done for path in r.histograms}))

    def by_shadows(self) -> dict[int, RecordGroup]:
        """Make a table of the records for each number of shadow models that they rest on."""
        counts = sorted({record.shadows for row in self.rows for record in row.done} - {0})
        return {count: self._with_shadows(count) for count in counts}

    def _with_shadows(self, count: int) -> RecordGroup:
        rows = [
            replace(row, records=tuple(record for record in row.done if record.shadows == count))
            for row in self.rows
        ]
        seeds = {record.spec.seed for row in rows for record in row.records}
        return RecordGroup(self.key, tuple(sorted(seeds)), tuple(row for row in rows if row.records))


def group_records(records: Iterable[RunResult], expected_methods: Sequence[str] = ()) -> list[RecordGroup]:
    """Sort records into tables, and within a table into rows.

    Args:
        records: in any order; the order does not change the answer. One of two with the same run id counts.
        expected_methods: methods that get an empty row in every table in which they have no record.

    Returns:
        Groups sorted by their key. Rows: retrain, retrain′, original, then methods by name, configuration
        and, for methods of plug-in files, the file's content.
    """
    by_key: defaultdict[GroupKey, dict[str, RunResult]] = defaultdict(dict)
    for record in records:
        by_key[GroupKey.of(record.spec)][record.run_id] = record
    return [_group(key, list(by_key[key].values()), expected_methods) for key in sorted(by_key)]


def settings_text(config: dict[str, Scalar] | str) -> str:
    """Write a configuration, a mapping or JSON object, in one line: ``epochs=5, lr=0.001``."""
    mapping = json.loads(config) if isinstance(config, str) else config
    return ", ".join(f"{key}={_plain(value)}" for key, value in sorted(mapping.items()))


def _group(key: GroupKey, records: list[RunResult], expected_methods: Sequence[str]) -> RecordGroup:
    by_variant: defaultdict[str, defaultdict[Variant, list[RunResult]]] = defaultdict(
        lambda: defaultdict(list)
    )
    ordered = sorted(records, key=lambda record: (record.spec.seed, record.run_id))
    retrains = _retrain_costs(ordered)
    for record in ordered:
        by_variant[record.spec.method][Variant.of(record.spec)].append(record)
    names = set(expected_methods) - set(by_variant) - {RETRAIN_AGAIN}
    rows = [MethodRow(method, method, ()) for method in names]
    for method, variants in by_variant.items():
        rows += _labelled([MethodRow(method, method, tuple(runs), retrains) for runs in variants.values()])
    rows.sort(key=lambda row: (*(row.method != name for name in REFERENCES), row.method, row.label))
    return RecordGroup(key, tuple(sorted({record.spec.seed for record in records})), tuple(rows))


def _retrain_costs(records: list[RunResult]) -> dict[Place, Cost]:
    """Return what the retrain of each seed cost that the table has a record of."""
    retrains = [one for one in records if one.spec.method == RETRAIN and one.cost is not None]
    return {Place.of(one): one.cost for one in reversed(retrains) if one.cost is not None}


def _labelled(rows: list[MethodRow]) -> list[MethodRow]:
    """Name a method's rows by tuned or default, else by the settings and plug-in in which they differ."""
    if len(rows) == 1:
        return [replace(rows[0], label=LABELS.get(rows[0].method, rows[0].method))]
    by_origin = Counter(map(_origin, rows)) if any(row.is_tuned for row in rows) else Counter[str]()
    configs = [row.records[0].spec.config for row in rows]
    keys = sorted({key for config in configs for key in config})
    differing = [key for key in keys if len({canonical_json(c.get(key, "unset")) for c in configs}) > 1]
    plugins = [row.records[0].spec.plugins.get(row.method, "") for row in rows]
    labelled = []
    for row, config, plugin in zip(rows, configs, plugins, strict=True):
        origin = _origin(row) if by_origin else ""
        parts = [origin] if origin else []
        if differing and (not origin or by_origin[origin] > 1):
            parts.append(settings_text({key: config.get(key, "unset") for key in differing}))
        if len(set(plugins)) > 1 and plugin:
            parts.append(f"plugin {plugin[:8]}")
        name = LABELS.get(row.method, row.method)
        labelled.append(replace(row, label=f"{name} ({', '.join(parts)})" if parts else name))
    return labelled


def _standing(row: MethodRow) -> int:
    """Say how much a row stands for its method: tuned settings most, then the method's own."""
    return 2 if row.is_tuned else int(row.is_default)


def _origin(row: MethodRow) -> str:
    """Say where settings come from in a word; empty where someone chose them."""
    if row.is_tuned:
        return "tuned"
    return "default" if row.is_default else ""


def _has_own_settings(command: str) -> bool:
    """Check whether a record's command sets nothing of the method, whose settings have no prefix."""
    try:
        words = command.split() if _PLAIN.fullmatch(command) else shlex.split(command)
    except ValueError:  # an open quotation, which no shell has taken
        return False
    return not any(word == "--set" and "." not in setting.split("=")[0] for word, setting in pairwise(words))


def _by_seed(numbers: Iterable[tuple[int, float | None]]) -> dict[int, float]:
    """Take the mean of each seed's numbers, without those that are missing."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for seed, number in numbers:
        if number is not None:
            found[seed].append(number)
    return {
        seed: of_seed[0] if len(of_seed) == 1 else statistics.fmean(of_seed)
        for seed, of_seed in sorted(found.items())
    }


def _difference(value: Value) -> float | None:
    return None if value.value is None or value.retrain is None else value.value - value.retrain


def _plain(value: Scalar) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(value)


def _number(cost: Cost, retrain: Cost | None, field: str) -> float | None:
    if retrain is not None and cost.seconds_ratio is not None:
        cost = cost.beside(retrain)
    number: float | None = getattr(cost, field)
    return number
