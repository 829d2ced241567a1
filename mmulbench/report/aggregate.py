"""RecordGroup records into tables that may be compared, and summarise rows over seeds."""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from mmulbench.hashing import canonical_json
from mmulbench.records.schema import Cost, RunResult, RunSpec, Scalar, Value

RETRAIN = "retrain"
ORIGINAL = "original"
REFERENCES = (RETRAIN, ORIGINAL)
"""Rows that are no unlearning methods: they come first and never win a column."""


class GroupKey(NamedTuple):
    """Holds what all runs of one table share; runs that differ in any of it are never compared."""

    task: str
    backbone: str
    forget_size: int
    data_fingerprint: str
    metric_version: str
    task_config: str
    recipe: str
    plugins: str

    @classmethod
    def of(cls, spec: RunSpec) -> GroupKey:
        """Return the key of a run's table; mappings become canonical JSON.

        Plug-in files of the task, the backbone and of metrics count; the method's makes another row.
        """
        return cls(
            spec.task,
            spec.backbone,
            spec.forget_size,
            spec.data_fingerprint,
            spec.metric_version,
            canonical_json(spec.task_config),
            canonical_json(spec.recipe),
            canonical_json({name: digest for name, digest in spec.plugins.items() if name != spec.method}),
        )


class Variant(NamedTuple):
    """Holds what the runs of one row share besides the method's name."""

    config: str
    """Canonical JSON."""

    plugin: str
    """Digest of the plug-in file the method is from; empty for other methods."""

    @classmethod
    def of(cls, spec: RunSpec) -> Variant:
        """Return the variant of a run's method."""
        return cls(canonical_json(spec.config), spec.plugins.get(spec.method, ""))


@dataclass(frozen=True)
class SeedSummary:
    """Holds mean and sample standard deviation (None for a single seed) of ``n`` runs."""

    mean: float
    sd: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> SeedSummary | None:
        """Summarise the values, one per seed; None where there is none."""
        if not values:
            return None
        return cls(
            statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, len(values)
        )


@dataclass(frozen=True)
class MethodRow:
    """Holds the records of one method in one variant by seed, none for a method that was not run."""

    method: str
    label: str
    records: tuple[RunResult, ...]

    @property
    def done(self) -> tuple[RunResult, ...]:
        """The records that hold numbers."""
        return tuple(record for record in self.records if record.status == "done")

    @property
    def is_reference(self) -> bool:
        """Whether this is retrain or original rather than an unlearning method."""
        return self.method in REFERENCES

    @property
    def is_tuned(self) -> bool:
        """Whether its settings are those that a study came to."""
        return any(record.tuning is not None for record in self.records)

    def missing_seeds(self, expected: Iterable[int]) -> list[int]:
        """Return the expected seeds that have no record of any status."""
        return sorted(set(expected) - {record.spec.seed for record in self.records})

    def statuses(self) -> Counter[str]:
        """Count the records of each status."""
        return Counter(record.status for record in self.records)

    def summary(self, metric: str) -> SeedSummary | None:
        """Summarise a measure over the seeds in which it could be computed."""
        return SeedSummary.of([v.value for v in self._values(metric) if v.value is not None])

    def distance(self, metric: str) -> SeedSummary | None:
        """Summarise |value - retrain| over seeds, each seed compared with its own retrain."""
        pairs = [(v.value, v.retrain) for v in self._values(metric)]
        return SeedSummary.of([abs(a - b) for a, b in pairs if a is not None and b is not None])

    def chance(self, metric: str) -> SeedSummary | None:
        """Summarise over seeds what chance would give."""
        return SeedSummary.of([v.chance for v in self._values(metric) if v.chance is not None])

    def cost(self, field: str) -> SeedSummary | None:
        """Summarise one number of `Cost`, by its field name, over seeds."""
        costs = [record.cost for record in self.done if record.cost is not None]
        return SeedSummary.of([number for cost in costs if (number := _number(cost, field)) is not None])

    def _values(self, metric: str) -> list[Value]:
        return [record.values[metric] for record in self.done if metric in record.values]


@dataclass(frozen=True)
class RecordGroup:
    """Holds one table: rows in display order and the seeds that any of them was run with."""

    key: GroupKey
    seeds: tuple[int, ...]
    rows: tuple[MethodRow, ...]

    def competing(self) -> list[MethodRow]:
        """Return the rows that may win a column: unlearning methods, one row each where settings were tuned.

        Variants beside a method's tuned row, such as its ablations, would be further tries.
        """
        tuned = {row.method for row in self.rows if row.is_tuned}
        return [
            row for row in self.rows if not row.is_reference and (row.is_tuned or row.method not in tuned)
        ]

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
        Groups sorted by their key. Rows: retrain, original, then methods by name, configuration and, for
        methods of plug-in files, the file's content.
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
    for record in sorted(records, key=lambda record: record.spec.seed):
        by_variant[record.spec.method][Variant.of(record.spec)].append(record)
    rows = [MethodRow(method, method, ()) for method in set(expected_methods) - set(by_variant)]
    for method, variants in by_variant.items():
        labels = _labels(method, list(variants))
        rows += [MethodRow(method, labels[variant], tuple(runs)) for variant, runs in variants.items()]
    rows.sort(key=lambda row: (row.method != RETRAIN, row.method != ORIGINAL, row.method, row.label))
    return RecordGroup(key, tuple(sorted({record.spec.seed for record in records})), tuple(rows))


def _labels(method: str, variants: list[Variant]) -> dict[Variant, str]:
    """Name each variant of a method by the settings in which they differ, and by its plug-in if that does."""
    parsed = {variant: json.loads(variant.config) for variant in variants}
    keys = sorted({key for config in parsed.values() for key in config})
    differing = [
        key for key in keys if len({canonical_json(c.get(key, "unset")) for c in parsed.values()}) > 1
    ]
    several_plugins = len({variant.plugin for variant in variants}) > 1
    labels = {}
    for variant, config in parsed.items():
        parts = [settings_text({key: config.get(key, "unset") for key in differing})] if differing else []
        if several_plugins and variant.plugin:
            parts.append(f"plugin {variant.plugin[:8]}")
        labels[variant] = f"{method} ({', '.join(parts)})" if parts else method
    return labels


def _plain(value: Scalar) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(value)


def _number(cost: Cost, field: str) -> float | None:
    number: float | None = getattr(cost, field)
    return number
