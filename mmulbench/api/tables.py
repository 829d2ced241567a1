"""Make pages of tables from a results folder: only what has changed since the last is read and rendered."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mmulbench.core.judging_code import judging_code
from mmulbench.core.registry import METHODS
from mmulbench.errors import UsageError, did_you_mean
from mmulbench.file_digests import ContentChanged
from mmulbench.hashing import fingerprint
from mmulbench.many_objects import uncollected
from mmulbench.progress import Track
from mmulbench.records.group_key import GroupKey
from mmulbench.records.record_files import Unreadable
from mmulbench.records.schema import Direction, RunResult
from mmulbench.records.slim import Slimmer
from mmulbench.report.aggregate import group_records
from mmulbench.report.kept_tables import KeptTables, Table
from mmulbench.report.page import Look, TableText, page, paper_page
from mmulbench.validity.index import MANY, Entry, RecordIndex, content_of
from mmulbench.validity.sift import sift

TRIES = 3
"""How often reading begins anew where records are written meanwhile."""


class Page(NamedTuple):
    """Holds a page of tables.

    Attributes:
        text: GitHub Markdown.
        left_out: the files that are no records or do not hold together.
    """

    text: str
    left_out: list[Unreadable]


def make_page(
    folder: Path,
    task: str | None,
    metrics: Sequence[str] | None,
    command: str,
    *,
    paper: bool = False,
    cache: Path | None = None,
    track: Track | None = None,
) -> Page:
    """Make the tables of a results folder.

    Args:
        folder: the results folder.
        task: only this task's; None for all.
        metrics: headline metrics to show, in this order; all for None.
        command: the command that makes this text, named in it.
        paper: whether to make the tables of MMUL's paper alone.
        cache: folder where records and tables are remembered; None for nowhere.
        track: shows how far it is where there are many records; None for nothing.

    Raises:
        UsageError: There are no records of the task, or a metric is unknown.
        ContentChanged: Records are being written all the time.
    """
    look = Look(None if metrics is None else tuple(metrics), tuple(METHODS.names()), folder)
    for _ in range(TRIES - 1):
        with suppress(ContentChanged):
            return _page(folder, task, look, command, paper, cache, track)
    return _page(folder, task, look, command, paper, cache, track)


def _page(
    folder: Path,
    task: str | None,
    look: Look,
    command: str,
    paper: bool,
    cache: Path | None,
    track: Track | None,
) -> Page:
    slimmer = Slimmer()
    index = RecordIndex(folder, cache, slimmer.slim)
    found = index.entries(task, track)
    if task is not None and not found:
        every = [one for one in index.entries() if isinstance(one, Entry)]
        known = sorted({GroupKey.of_text(text).task for text in {one.known.table for one in every}})
        raise UsageError(f"no records of task {task!r} in {folder}{did_you_mean(task, known)}")
    entries, left_out = sift(found, folder)
    by_table = {GroupKey.of_text(text): of_table for text, of_table in _grouped(entries).items()}
    recorded = {} if look.metrics is None else _recorded(entries)
    if look.metrics is not None and not by_table:
        _refuse_unknown(look.metrics)
    shown = [look.metrics, look.expected_methods, str(look.results), paper, recorded]
    place = None if cache is None or index.code is None else _place_in(cache, folder, task, look, paper)
    kept = KeptTables(place, fingerprint([index.code, *shown]))
    keys = sorted(by_table)
    texts = []

    def record_of(entry: Entry) -> RunResult:
        return index.fresh.pop(entry.digest, None) or slimmer.slim(
            RunResult.model_validate_json(content_of(entry))
        )

    for key in keys if track is None or len(entries) < MANY else track(keys, len(keys), "make tables"):
        of_table = by_table.pop(key)
        make = functools.partial(_make, map(record_of, of_table), look, recorded, paper)
        texts.append(kept.text(Table(key, _content(of_table)), make))
    if index.code == judging_code():  # else some texts may be by other code
        kept.save()
    return Page(paper_page(texts, command) if paper else page(texts, left_out, command), left_out)


def _place_in(cache: Path, folder: Path, task: str | None, look: Look, paper: bool) -> Path:
    """Return the file of the texts of one page: of one folder, by the same options."""
    options = [os.fsencode(folder.absolute()).hex(), task, look.metrics, paper]
    return cache / "tables" / f"{fingerprint(options)[:16]}.json"


def _grouped(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.known.table, []).append(entry)
    return found


def _recorded(entries: Iterable[Entry]) -> dict[str, Direction]:
    """Return the directions of all headline values by name."""
    texts = dict.fromkeys(entry.known.headlines for entry in entries)
    return {name: direction for text in texts for name, direction in json.loads(text).items()}


def _refuse_unknown(metrics: Sequence[str]) -> None:
    """Refuse metrics that are not registered, where there is no record that may have them.

    Raises:
        UsageError: There is such a metric.
    """
    from mmulbench.report.columns import choose_columns

    choose_columns(metrics, {})


def _content(entries: Sequence[Entry]) -> list[str]:
    """Return all that a table's text depends on in its records."""
    return [text for one in entries for text in (one.known.home, one.digest, one.known.besides)]


@uncollected()
def _make(
    records: Iterable[RunResult], look: Look, recorded: Mapping[str, Direction], paper: bool
) -> TableText:
    """Render one table.

    Args:
        records: its records, which are read as they are asked for.
        look: what is shown of them.
        recorded: directions of all records' headline values.
        paper: whether only the tables of MMUL's paper are shown.

    Raises:
        ContentChanged: One of the files is another than it was.
    """
    from mmulbench.report.leaderboard import render_paper_table, render_table  # it takes long to import

    (group,) = group_records(records, look.expected_methods)
    return render_paper_table(group) if paper else render_table(group, look, recorded)
