"""Compare the runs of one command in one table: methods by their gap to retrain, beside the original."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich import box

from mmulbench.core.registry import METRICS
from mmulbench.records.printable import printable
from mmulbench.records.schema import RunResult, Value
from mmulbench.report.aggregate import ORIGINAL, RETRAIN, MethodRow, SeedSummary, group_records
from mmulbench.report.cells import STATUS_CELL, absent
from mmulbench.report.columns import Column, part_columns
from mmulbench.report.noise_floor import GAP
from mmulbench.tables import Column as TableColumn
from mmulbench.tables import WholeTable

SHOWN = (GAP, "test", "retain", "forget", "mia")
"""Metrics of the table's columns."""

DROPPED = ("retain", "time", "test", "mia", "forget")
"""Columns that a narrow terminal has no room for, the first to go first; the gap stays."""


class _Row(NamedTuple):
    """Holds one line: its name, the number of each column, and what else is to be said of its runs."""

    name: str
    numbers: dict[str, SeedSummary | None]
    seconds: SeedSummary | None
    remark: str = ""

    @property
    def order(self) -> tuple[float, bool, str]:
        """The gap, from the smallest, retrain before its equals; lines without one come last."""
        gap = self.numbers.get(GAP)
        return (math.inf if gap is None else gap.mean, self.name != RETRAIN, self.name)


def comparison_table(records: Sequence[RunResult]) -> WholeTable:
    """Tabulate runs of one task, a line for each method with the mean over seeds.

    The retrain and original of all seeds have lines even where they were not run as methods: every run holds
    their values. A method that was run with several settings has a line for each.

    Args:
        records: the records; those of one seed and method count once.
    """
    records = [printable(record) for record in records]
    done = [record for record in records if record.status == "done"]
    columns = part_columns([Column.of(METRICS.get(name)(name)) for name in SHOWN], done)
    rows = [_of_method(row, columns) for group in group_records(records) for row in group.rows]
    named = {row.name for row in rows if any(row.numbers.values())}
    for name, value_of in ((RETRAIN, _retrain), (ORIGINAL, _original)):
        if name not in named:
            rows = [row for row in rows if row.name != name]
            rows += [_of_reference(name, done, columns, value_of)] if done else []
    rows = sorted((row for row in rows if row.remark or any(row.numbers.values())), key=lambda row: row.order)
    columns = [column for column in columns if any(row.numbers.get(column.name) for row in rows)]
    return _table(records, columns, rows)


def _table(records: Sequence[RunResult], columns: Sequence[Column], rows: Sequence[_Row]) -> WholeTable:
    spec = records[0].spec
    seeds = sorted({record.spec.seed for record in records})
    listed = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    mean = ", mean ± standard deviation over seeds" if len(seeds) > 1 else ""
    has_remarks = any(row.remark for row in rows)
    table = WholeTable(
        [
            TableColumn("Method", folds=True),
            *(
                TableColumn(column.title.replace(", ", "\n"), _drop(column.metric), right=True)
                for column in columns
            ),
            TableColumn("Time /\nretrain", _drop("time"), right=True),
            *([TableColumn("Remark", folds=True)] if has_remarks else []),
        ],
        title=f"{spec.task}, {spec.backbone}, {spec.forget_text}, {listed}{mean}",
        style={"box": box.SIMPLE_HEAD, "padding": (0, 1, 0, 0), "show_edge": False},
    )
    for row in rows:
        numbers = [_cell(row.numbers.get(column.name)) for column in columns]
        table.add_row(row.name, *numbers, _cell(row.seconds), *([row.remark] if has_remarks else []))
    return table


def _drop(metric: str) -> int:
    return DROPPED.index(metric) + 1 if metric in DROPPED else 0


def _of_method(row: MethodRow, columns: Sequence[Column]) -> _Row:
    numbers = {column.name: row.summary(column.name) for column in columns}
    return _Row(row.label, numbers, row.cost("seconds_ratio"), _remark(row))


def _remark(row: MethodRow) -> str:
    """Say which runs of a line have no numbers."""
    if not row.done:
        return absent(row)
    lost = [
        f"{STATUS_CELL[record.status]}: seed {record.spec.seed}"
        for record in row.records
        if record.status != "done"
    ]
    return "; ".join(lost)


def _of_reference(
    name: str, done: Sequence[RunResult], columns: Sequence[Column], value_of: Callable[[Value], float | None]
) -> _Row:
    """Make the line of a model that is in every record, from the first of each seed that has its value."""
    numbers = {column.name: _over_seeds(done, column.name, value_of) for column in columns}
    ratio = {
        record.spec.seed: 1.0 for record in done if record.cost and record.cost.seconds_ratio is not None
    }
    return _Row(name, numbers, SeedSummary.of(ratio.values()) if name == RETRAIN else None)


def _over_seeds(
    records: Iterable[RunResult], name: str, value_of: Callable[[Value], float | None]
) -> SeedSummary | None:
    found: dict[int, float] = {}
    for record in records:
        if name in record.values and (number := value_of(record.values[name])) is not None:
            found.setdefault(record.spec.seed, number)
    return SeedSummary.of(found.values())


def _retrain(value: Value) -> float | None:
    return value.retrain


def _original(value: Value) -> float | None:
    return value.original


def _cell(summary: SeedSummary | None) -> str:
    if summary is None:
        return "–"
    deviation = "" if summary.sd is None else f" ±{summary.sd:.3f}".replace("±0.", "±.")
    return f"{summary.mean:.3f}{deviation}"
