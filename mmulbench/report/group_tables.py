"""Render the tables of one set of comparable runs, and the sentences that belong to them."""

from __future__ import annotations

from collections.abc import Sequence

from mmulbench.metrics.catalogue import headline_metrics
from mmulbench.records.published import UTILITY_TOLERANCE
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import MethodRow, RecordGroup
from mmulbench.report.cells import (
    OUT,
    chance_cells,
    cost_cell,
    escape,
    furthest_cell,
    heading,
    markdown,
    number,
    seeds_text,
    tuned_cell,
    value_cell,
)
from mmulbench.report.columns import FIRST, Column, headline_columns, part_columns
from mmulbench.report.noise_floor import GAP, NoiseFloor
from mmulbench.report.place_rows import Judged
from mmulbench.report.ranking import RANKED, Ranking
from mmulbench.report.standing_markdown import ELSEWHERE, folded


def main_table(group: RecordGroup, columns: Sequence[Column], judged: Judged) -> list[str]:
    """Render a table with cost and settings, and below it what its marks mean.

    Args:
        group: the runs.
        columns: the values to show.
        judged: what the rows come to.

    Returns:
        Parts of the page: the table, then sentences.
    """
    keys = [column.name for column in columns if column.metric in RANKED]
    ranking = judged.ranking
    first = ["Method", *map(heading, columns), "Seconds (× retrain) ↓", "Tuned", "Seeds"]

    def line(row: MethodRow) -> list[str]:
        cells = [_value_cell(row, column, ranking) for column in columns]
        label = escape(f"{row.label} {OUT}" if row.label in ranking.out else row.label)
        return [label, *cells, cost_cell(row), tuned_cell(row, group.key), seeds_text(row, group.seeds)]

    rows = recorded(group)
    own = [first, *(line(row) for row in rows if not row.is_outside)]
    outside = [line(row) for row in rows if row.is_outside]
    more = [ELSEWHERE, markdown([first, *outside])] if outside else []
    return [markdown(_with_chance(own, group, columns)), *_sentences(group, ranking, keys), *more]


def _value_cell(row: MethodRow, column: Column, ranking: Ranking) -> str:
    return value_cell(row, column, best=row.label in ranking.best.get(column.name, frozenset()))


def _with_chance(
    lines: list[list[str]], group: RecordGroup, columns: Sequence[Column], before: int = 1
) -> list[list[str]]:
    """Put the line of chance levels below the references.

    Args:
        lines: the table's lines, heading first.
        group: the table's rows.
        columns: the values shown.
        before: number of cells before those of the values.
    """
    chances = chance_cells(group.rows, columns)
    if not any(chances):
        return lines
    line = ["chance", *[""] * (before - 1), *chances]
    line += [""] * (len(lines[0]) - len(line))
    references = 1 + sum(row.is_reference for row in recorded(group))
    return [*lines[:references], line, *lines[references:]]


def _sentences(group: RecordGroup, ranking: Ranking, keys: Sequence[str]) -> list[str]:
    """Say what the table's marks rest on, or why there are none."""
    found = []
    if ranking.why_not:
        found.append(f"Nothing is ranked here: {ranking.why_not}.")
    elif keys and (floor := NoiseFloor.of(group, GAP)) is not None:
        found.append(
            f"Noise floor of the gap: {number(floor.mean)} (two retrains of one forget set; {floor.draws} "
            f"draws, from {number(floor.low)} to {number(floor.high)}). Bold rests on {len(group.seeds)} "
            f"seeds with {group.key.forget_size} forget units each."
        )
    if ranking.out:
        rows = "; ".join(f"{escape(label)}: {reason}" for label, reason in ranking.out.items())
        found.append(
            f"{OUT} Out of competition, more than {100 * UTILITY_TOLERANCE:.0f} points below retrain: {rows}."
        )
    return found


def more_table(group: RecordGroup, records: Sequence[RunResult]) -> str | None:
    """Render what has no room in the main table; None where there is nothing.

    Args:
        group: the runs.
        records: their records.
    """
    paths = group.paths()
    columns = part_columns([c for c in headline_columns() if c.name not in FIRST], records)
    columns += _utility_by_path(paths)
    columns = [column for column in columns if any(row.summary(column.name) for row in group.rows)]
    divided = _divided(records) if len(paths) > 1 else {}
    if not columns and not divided:
        return None
    lines = [["Method", *(f"{title}, furthest path" for title in divided), *map(heading, columns)]]
    for row in recorded(group):
        worst = [furthest_cell(row, parts) for parts in divided.values()]
        lines.append(
            [escape(row.label), *worst, *(value_cell(row, column, best=False) for column in columns)]
        )
    table = markdown(_with_chance(lines, group, columns, 1 + len(divided)))
    return folded("More values", table)


def _divided(records: Sequence[RunResult]) -> dict[str, list[Column]]:
    """Return the columns of each first metric that is measured on several paths, by its heading."""
    found = {}
    for column in headline_columns():
        parts = part_columns([column], records)
        if column.name in FIRST and len(parts) > 1:
            found[escape(column.title)] = parts
    return found


def _utility_by_path(paths: Sequence[str]) -> list[Column]:
    """Return the columns of utility by one path alone, which retrieval has."""
    by_name = {metric.name: metric for metric in headline_metrics()}
    return [
        Column(f"{name}/{path}", f"{by_name[name].title}, {path}", by_name[name].direction)
        for name in ("test", "forget")
        for path in paths
    ]


def recorded(group: RecordGroup) -> list[MethodRow]:
    """Return the rows that have a record."""
    return [row for row in group.rows if row.records]
