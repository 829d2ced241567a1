"""Find the records that the two sides of a comparison name, and the table that both are in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from mmulbench.core.registry import TASKS
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.plain_text import one_line, visible
from mmulbench.records.group_key import GroupKey
from mmulbench.records.lookup import find_records
from mmulbench.records.record_files import Unreadable
from mmulbench.records.schema import RunResult, Scalar
from mmulbench.records.store import UNCHECKED, ResultsStore, folder_of_method, read_record
from mmulbench.report.aggregate import REFERENCES, MethodRow, RecordGroup, group_records, settings_text
from mmulbench.report.same_scene import refuse_other_tables
from mmulbench.validity.record import reason_to_leave_out

SETTINGS = "@"
"""Stands between a method and what tells its variants apart."""


@dataclass(frozen=True)
class Where:
    """Says among which records the sides are looked for.

    Attributes:
        results: folder of the records.
        task: only this task's; None for all.
        backbone: full name of the backbone; None for any.
        forget_size: number of forget units; None for any.
    """

    results: Path
    task: str | None = None
    backbone: str | None = None
    forget_size: int | None = None

    def has(self, key: GroupKey) -> bool:
        """Return whether a table is one of those that are meant."""
        return (
            self.task in (None, key.task)
            and self.backbone in (None, key.backbone)
            and self.forget_size in (None, key.forget_size)
        )

    def files(self, methods: Iterable[str]) -> list[Path]:
        """Return the files of some methods' records; folders that cannot be searched have none.

        Raises:
            UsageError: The task cannot be a folder's name.
        """
        folders = {folder_of_method(method) for method in methods}
        found = ResultsStore(self.results).files(self.task)
        return [one for one in found if not isinstance(one, Unreadable) and one.parent.name in folders]


@dataclass(frozen=True)
class Sides:
    """Holds what is compared.

    Attributes:
        key: the table of both.
        first: records of one side.
        second: records of the other.
        files: file of each record, by run id.
    """

    key: GroupKey
    first: MethodRow
    second: MethodRow
    files: Mapping[str, Path]


def find_sides(first: str, second: str, where: Where) -> Sides:
    """Return the records that two texts name, of the one table that both are in.

    Args:
        first: name of a method, of a variant such as ``mmul@lr=0.001`` or ``mmul@tuned``, or what
            `mmulbench.records.lookup.find_records` takes.
        second: the same of the other side.
        where: among which records.

    Raises:
        UsageError: A text names nothing, or several variants; both are in no common table, or in several.
        MmulbenchError: A record that is named does not hold.
    """
    files: dict[str, Path] = {}
    found = [_rows(text, where, files) for text in (first, second)]
    common = sorted(found[0].keys() & found[1].keys())
    if not common:
        _refuse_apart((first, second), *found)
    if len(common) > 1 and where.backbone is None:
        common = [key for key in common if _is_own_backbone(key)] or common
    if len(common) > 1:
        raise UsageError(f"{first} and {second} are both in {len(common)} tables: {_telling_apart(common)}")
    (key,) = common
    own, other = (_one_row(text, rows[key]) for text, rows in zip((first, second), found, strict=True))
    return Sides(key, own, other, files)


def _is_own_backbone(key: GroupKey) -> bool:
    """Tell whether a table is of its task's own backbone, which commands mean where none is named."""
    return key.task in TASKS.names() and TASKS.get(key.task).default_backbone == key.backbone


def references_of(key: GroupKey, where: Where) -> RecordGroup | None:
    """Return the retrains and the original of a table, as far as their records hold; None without any.

    Args:
        key: the table.
        where: the results folder.
    """
    records = []
    for path in replace(where, task=key.task).files(REFERENCES):
        try:
            record = _valid(path)
        except (UsageError, MmulbenchError):
            continue
        if GroupKey.of(record.spec) == key:
            records.append(record)
    return next(iter(group_records(records)), None)


def _rows(text: str, where: Where, files: dict[str, Path]) -> dict[GroupKey, list[MethodRow]]:
    """Return the variants that a text names, by table.

    Raises:
        UsageError: It names none.
    """
    name, _, settings = text.partition(SETTINGS)
    is_file = text.endswith(".json") or Path(text).is_file()
    paths = [] if is_file else where.files([name])
    if not paths:
        settings, paths = "", find_records(text, where.results)
    records = list(_read(paths, files))
    tables = {group.key: list(group.rows) for group in group_records(records) if where.has(group.key)}
    chosen = {key: [row for row in rows if _has(row, settings)] for key, rows in tables.items()}
    chosen = {key: [row for row in rows if row.records] for key, rows in chosen.items()}
    if not any(chosen.values()):
        raise UsageError(_nothing(text, name, settings, tables, records))
    return {key: rows for key, rows in chosen.items() if rows}


def _read(paths: Iterable[Path], files: dict[str, Path]) -> Iterator[RunResult]:
    for path in paths:
        record = _valid(path)
        files[record.run_id] = path
        yield record


def _valid(path: Path) -> RunResult:
    """Read a record that holds together.

    Raises:
        UsageError: There is no such file.
        MmulbenchError: It is no record, or does not hold.
    """
    record = read_record(path)
    reason = UNCHECKED if record.has_unchecked_reference else reason_to_leave_out(record)
    if reason is not None:
        raise MmulbenchError(f"the record {visible(str(path))} does not hold: {one_line(reason)}")
    return record


def _has(row: MethodRow, settings: str) -> bool:
    """Return whether a variant is one with the settings."""
    if settings in ("", "tuned", "default"):
        return not settings or (row.is_tuned if settings == "tuned" else row.is_default and not row.is_tuned)
    configs = [record.spec.config for record in row.records]
    pairs = [part.strip().partition("=") for part in settings.split(",")]
    return any(all(key in config and _is(config[key], text) for key, _, text in pairs) for config in configs)


def _is(value: Scalar, text: str) -> bool:
    """Return whether a text writes a setting's value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ("none" if value is None else str(value)).lower() == text.lower()
    try:
        return float(text) == value
    except ValueError:
        return False


def _one_row(text: str, rows: Sequence[MethodRow]) -> MethodRow:
    """Return the only variant, or the only tuned one: that is a method's own where nothing else is said.

    Raises:
        UsageError: There are several.
    """
    if len(rows) > 1 and len({row.method for row in rows}) == 1:
        tuned = [row for row in rows if row.is_tuned]
        rows = tuned if len(tuned) == 1 else rows
    if len(rows) > 1:
        raise UsageError(f"{text} is of {len(rows)} variants, name one: {_listed(rows)}")
    return rows[0]


def _listed(rows: Iterable[MethodRow]) -> str:
    return "; ".join(sorted({f"{row.method}{SETTINGS}{_settings(row)}" for row in rows}))


def _settings(row: MethodRow) -> str:
    if row.is_tuned or row.is_default:
        return "tuned" if row.is_tuned else "default"
    return settings_text(row.records[0].spec.config).replace(", ", ",")


def _nothing(
    text: str,
    name: str,
    settings: str,
    tables: Mapping[GroupKey, Sequence[MethodRow]],
    records: Sequence[RunResult],
) -> str:
    """Say why nothing is left of what a text names."""
    if settings and tables:
        return f"{name} has no records with {settings}, but: {_listed(chain(*tables.values()))}"
    keys = sorted({GroupKey.of(record.spec) for record in records})
    return f"{text} has other records than those that are asked for: {_telling_apart(keys)}"


def _telling_apart(keys: Sequence[GroupKey]) -> str:
    """Name the options, and the values of each, that tell tables apart."""
    options = {"--task": "task", "--backbone": "backbone", "--forget-size": "forget_size"}
    named = [
        f"{option} {' or '.join(sorted({str(getattr(key, field)) for key in keys}))}"
        for option, field in options.items()
        if len({getattr(key, field) for key in keys}) > 1 or len(keys) == 1
    ]
    return ", ".join(named) or "they differ in data, versions or recipe; give ids of records"


def _refuse_apart(names: tuple[str, str], first: Iterable[GroupKey], second: Iterable[GroupKey]) -> None:
    """Refuse sides that are in no common table, by what the most similar two differ in.

    Raises:
        UsageError: That is so.
    """
    pairs = [(own, other) for own in sorted(first) for other in sorted(second)]
    nearest = max(pairs, key=lambda pair: sum(a == b for a, b in zip(*pair, strict=True)))
    refuse_other_tables(names, *nearest)
