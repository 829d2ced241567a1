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
from mmulbench.report.cells import IN_LINKS, code, escape, listed
from mmulbench.report.columns import FIRST, Column, choose_columns, part_columns, recorded_directions
from mmulbench.report.group_tables import main_table, more_table, recorded
from mmulbench.report.makings import made_otherwise
from mmulbench.report.overall import overall
from mmulbench.report.page import VALUES, Look, PageLook, Tables, TableText, page, paper_page
from mmulbench.report.paper_table import paper_part
from mmulbench.report.place_rows import Judged, judge_rows, standing_of
from mmulbench.report.relearn_table import relearn_tables
from mmulbench.report.shadow_table import shadow_tables
from mmulbench.report.standing_markdown import folded
from mmulbench.report.standing_view import View


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
    found = Tables(tables, unreadable, overall([table.standing for table in tables]))
    return page(found, PageLook(command, View(only_columns=metrics is not None), results))


def render_paper(records: Sequence[RunResult], command: str = "mmulbench leaderboard --paper") -> str:
    """Render the tables of the paper's protocol alone.

    Args:
        records: what the tables are made of.
        command: the command that makes this text, named in it.
    """
    return paper_page([paper_part(group) for group in group_records(records)], command)


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
    chosen = choose_columns(FIRST if look.metrics is None else look.metrics, recorded)
    columns = part_columns(chosen, [record for row in group.rows for record in row.done])
    judged = judge_rows(group, columns)
    parts = [*_tables(group, columns, judged, everything), _details(group, ResultsStore(look.results))]
    return TableText(
        group.key,
        standing_of(group, columns, judged),
        "\n\n".join(parts),
        paper_part(group) if everything else None,
    )


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


def _facts(group: RecordGroup) -> str:
    """Say in one line what the records of a table share."""
    key = group.key
    facts = [
        f"recipe: {settings_text(key.recipe) or 'defaults'}",
        f"data {key.data_fingerprint[:8]}",
        f"metric version {key.metric_version}",
        f"recipe version {key.recipe_version}",
    ]
    if task_config := settings_text(key.task_config):
        facts.insert(0, f"task: {task_config}")
    if plugins := settings_text(key.plugins):
        facts.append(f"plug-ins: {plugins}")
    return escape(" · ".join(facts))


def _tables(group: RecordGroup, columns: Sequence[Column], judged: Judged, everything: bool) -> list[str]:
    """Render a group's tables of all rows and values, folded.

    Args:
        group: the runs.
        columns: values of the first table.
        judged: what its rows come to.
        everything: whether other tables follow.
    """
    records = [record for row in group.rows for record in row.done]
    values = [VALUES, _facts(group), *main_table(group, columns, judged)]
    parts = [folded("All rows and values", "\n\n".join(values))]
    if not everything:
        return parts
    more = more_table(group, records)
    parts += [] if more is None else [more]
    for count, by_shadows in group.by_shadows().items():
        parts.append(folded(f"Judged by {count} shadow models", "\n\n".join(shadow_tables(by_shadows))))
    if relearned := relearn_tables(group):
        parts.append(folded("Trained again on half of what was deleted", "\n\n".join(relearned)))
    return parts


def _details(group: RecordGroup, store: ResultsStore) -> str:
    lines = ["<details>", "<summary>Commands and records</summary>", ""]
    for row in recorded(group):
        lines.append(f"- **{escape(row.label)}**")
        lines += [f"  - {code(command)}" for command in reproduce(row.records)]
        places = [(r.spec.seed, quote(bytes(store.path_of(r)), safe=IN_LINKS)) for r in row.records]
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
