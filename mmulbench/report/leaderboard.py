"""Render the leaderboard: one Markdown table for each set of comparable runs, with links to records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from mmulbench.core.reproduce import command_of
from mmulbench.many_objects import uncollected
from mmulbench.records.record_files import Unreadable
from mmulbench.records.schema import Direction, RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.report.aggregate import MethodRow, RecordGroup, group_records, settings_text
from mmulbench.report.cells import code, escape, listed
from mmulbench.report.columns import FIRST, Column, choose_columns, part_columns, recorded_directions
from mmulbench.report.group_tables import main_table, more_table, recorded
from mmulbench.report.makings import made_otherwise
from mmulbench.report.page import Look, TableText, page, paper_page
from mmulbench.report.paper_table import paper_part
from mmulbench.report.shadow_table import shadow_tables

_IN_LINKS = "/:@+~"
"""Marks that a link may hold as they are."""


@uncollected()
def render(
    records: Sequence[RunResult],
    unreadable: Sequence[Unreadable],
    metrics: Sequence[str] | None = None,
    command: str = "mmulbench leaderboard",
    expected_methods: Sequence[str] = (),
    results: Path = Path("results"),
) -> str:
    """Render the leaderboard as GitHub Markdown; the same records in any order give the same text.

    Args:
        records: what the tables are made of.
        unreadable: files that are no valid records, listed at the end.
        metrics: headline metrics to show, in this order, and nothing else; all for None.
        command: the command that makes this text, named in it.
        expected_methods: methods named as missing below a table that has no record of them.
        results: the results folder as seen from the leaderboard's, for the links to the records.

    Raises:
        UsageError: a metric is unknown.
    """
    look = Look(metrics, tuple(expected_methods), results)
    recorded = recorded_directions(records)
    tables = [render_table(group, look, recorded) for group in group_records(records, expected_methods)]
    if metrics is not None and not tables:
        choose_columns(metrics, recorded)
    return page(tables, unreadable, command)


def render_paper(records: Sequence[RunResult], command: str = "mmulbench leaderboard --paper") -> str:
    """Render the tables of the paper's protocol alone.

    Args:
        records: what the tables are made of.
        command: the command that makes this text, named in it.
    """
    return paper_page([render_paper_table(group) for group in group_records(records)], command)


def render_table(group: RecordGroup, look: Look, recorded: Mapping[str, Direction]) -> TableText:
    """Render one table with all that belongs to it.

    Args:
        group: the runs.
        look: what is shown of them.
        recorded: directions of all records' headline values, for metrics that are not registered.

    Raises:
        UsageError: a metric is unknown.
    """
    everything = look.metrics is None
    columns = choose_columns(FIRST if look.metrics is None else look.metrics, recorded)
    parts = [
        _heading(group),
        *_tables(group, columns, everything),
        _details(group, ResultsStore(look.results)),
    ]
    return TableText(group.key, "\n\n".join(parts), paper_part(group) if everything else None)


def render_paper_table(group: RecordGroup) -> TableText:
    """Render what the paper's protocol shows of one table, and nothing else.

    Args:
        group: the runs.
    """
    return TableText(group.key, "", paper_part(group))


def reproduce(records: Sequence[RunResult]) -> list[str]:
    """Return the command lines that reproduce records, those that differ in their seed alone as one."""
    seeds: dict[str, list[int]] = {}
    for record in records:
        template = re.sub(r"--seed \d+", "--seed {}", command_of(record), count=1)
        seeds.setdefault(template, []).append(record.spec.seed)
    return [
        template.replace("--seed {}", " ".join(f"--seed {seed}" for seed in sorted(of_template)), 1)
        for template, of_template in seeds.items()
    ]


def _heading(group: RecordGroup) -> str:
    key = group.key
    facts = [
        f"recipe: {settings_text(key.recipe) or 'defaults'}",
        f"data {key.data_fingerprint[:8]}",
        f"metric version {key.metric_version}",
        f"recipe version {key.recipe_version}",
        f"seeds {', '.join(map(str, group.seeds))}",
    ]
    if task_config := settings_text(key.task_config):
        facts.insert(0, f"task: {task_config}")
    if plugins := settings_text(key.plugins):
        facts.append(f"plug-ins: {plugins}")
    return f"### {key.backbone}, {key.forget_text}\n\n{escape(' · '.join(facts))}"


def _tables(group: RecordGroup, columns: Sequence[Column], everything: bool) -> list[str]:
    """Render a group's tables.

    Args:
        group: the runs.
        columns: metrics of the first table.
        everything: whether other tables follow.
    """
    records = [record for row in group.rows for record in row.done]
    parts = [*main_table(group, part_columns(columns, records)), *_missing(group)]
    if not everything:
        return parts
    more = more_table(group, records)
    parts += [] if more is None else [more]
    for count, judged in group.by_shadows().items():
        parts += [f"#### Judged by {count} shadow models", *shadow_tables(judged)]
    return parts


def _missing(group: RecordGroup) -> list[str]:
    """Name the methods without any record in a table, in one line."""
    names = [code(row.method) for row in group.rows if not row.records]
    return [f"Missing, without a record here: {', '.join(names)}."] if names else []


def _details(group: RecordGroup, store: ResultsStore) -> str:
    lines = ["<details>", "<summary>Commands and records</summary>", ""]
    for row in recorded(group):
        lines.append(f"- **{escape(row.label)}**")
        lines += [f"  - {code(command)}" for command in reproduce(row.records)]
        places = [(r.spec.seed, quote(bytes(store.path_of(r)), safe=_IN_LINKS)) for r in row.records]
        lines.append(f"  - records by seed: {', '.join(f'[{seed}]({place})' for seed, place in places)}")
        lines += [f"  - {escape(note)}" for note in _notes(row)]
    return "\n".join([*lines, "", "</details>"])


def _notes(row: MethodRow) -> list[str]:
    """Return why runs are not done and what the others left out, each once, with its seeds."""
    seeds: dict[str, list[int]] = {}
    for record in row.records:
        notes = [f"left out: {missing}" for missing in record.missing] + made_otherwise(record)
        if record.status != "done":
            notes.insert(0, f"{record.status.replace('_', ' ')}: {record.reason or 'no reason recorded'}")
        for note in notes:
            seeds.setdefault(note, []).append(record.spec.seed)
    return [f"{note} (seed {listed(of_note)})" for note, of_note in seeds.items()]
