"""Read the records of a folder once, and put together what the site says of each table and run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mmulbench.core.registry import METHODS
from mmulbench.many_objects import uncollected
from mmulbench.metrics.catalogue import with_role
from mmulbench.plain_text import one_line
from mmulbench.progress import Track
from mmulbench.records.record_files import Unreadable
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import MethodRow, RecordGroup, group_records
from mmulbench.report.columns import FIRST, Column, choose_columns, part_columns, recorded_directions
from mmulbench.report.floor import Floors
from mmulbench.report.noise_floor import NoiseFloor
from mmulbench.report.overall import Overall, overall
from mmulbench.report.place_rows import judge_rows, standing_of
from mmulbench.report.short_names import short_names
from mmulbench.report.standing import Line, Standing
from mmulbench.validity.sift import load_valid

Origin = Literal["reference", "tuned", "default", "other"]
"""Where the settings of a row come from: ``other`` are those of ablations, and what was set by hand."""


@dataclass(frozen=True)
class Row:
    """Holds a line of a table with the runs that it rests on.

    Attributes:
        line: what is known of it.
        origin: where its settings come from.
        runs: its records, by seed.
    """

    line: Line
    origin: Origin
    runs: tuple[RunResult, ...]


@dataclass(frozen=True)
class Noise:
    """Holds how far two retrains of a table lie apart, where that is known.

    Attributes:
        attack: in the attack's AUC, on the path where that is most.
        test: in test utility.
    """

    attack: float | None
    test: float | None


@dataclass(frozen=True)
class SiteTable:
    """Holds what the site says of a table.

    Attributes:
        standing: how its methods stand.
        rows: its lines, in the same order, with their runs.
        noise: how far two retrains lie apart.
        floors: gives the noise floor of each run.
    """

    standing: Standing
    rows: tuple[Row, ...]
    noise: Noise
    floors: Floors


@dataclass(frozen=True)
class Site:
    """Holds what the site says.

    Attributes:
        root: the results folder.
        tables: its tables, in the order of their keys.
        overall: how methods rank over all tasks; None where tasks have none in common.
        left_out: the files that are no records or do not hold together.
    """

    root: Path
    tables: tuple[SiteTable, ...]
    overall: Overall | None
    left_out: tuple[Unreadable, ...]

    @property
    def runs(self) -> list[tuple[SiteTable, Row, RunResult]]:
        """Every run that has a page, with its table and row."""
        return [(table, row, run) for table in self.tables for row in table.rows for run in row.runs]


@uncollected()
def gather_site(results: Path, track: Track | None = None) -> Site:
    """Read a results folder.

    Args:
        results: the folder.
        track: shows how far it is; None for nothing.
    """
    records, left_out = load_valid(results)
    chosen = choose_columns(FIRST, recorded_directions(records))
    groups = group_records(records, METHODS.names())
    shown = groups if track is None else track(groups, len(groups), "make tables")
    tables = tuple(_table(group, chosen) for group in shown)
    return Site(results, tables, overall([one.standing for one in tables]), tuple(left_out))


def _table(group: RecordGroup, chosen: Sequence[Column]) -> SiteTable:
    """Put together a table, as the leaderboard does."""
    columns = part_columns(chosen, [record for row in group.rows for record in row.done])
    standing = standing_of(group, columns, judge_rows(group, columns))
    names = short_names(group.rows, group.competing())
    rows = {one_line(names[row.label]): row for row in group.rows if row.records}
    return SiteTable(
        standing,
        tuple(Row(line, _origin(rows[line.name]), rows[line.name].records) for line in standing.lines),
        _noise(group),
        Floors(group),
    )


def _origin(row: MethodRow) -> Origin:
    if row.is_reference:
        return "reference"
    if row.is_tuned:
        return "tuned"
    return "default" if row.is_default else "other"


def _noise(group: RecordGroup) -> Noise:
    (attack,) = with_role("forgetting")
    paths = part_columns([Column.of(attack)], [record for row in group.rows for record in row.done])
    floors = [found.mean for one in paths if (found := NoiseFloor.of(group, one.name)) is not None]
    test = NoiseFloor.of(group, with_role("utility")[0].name)
    return Noise(max(floors, default=None), None if test is None else test.mean)
