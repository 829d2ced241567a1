"""Make tables from a results folder: only what has changed since the last is read and rendered."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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
from mmulbench.report.page import Look, Tables, TableText
from mmulbench.validity.index import MANY, Entry, RecordIndex, content_of
from mmulbench.validity.sift import sift

TRIES = 3
"""How often reading begins anew where records are written meanwhile."""


@dataclass(frozen=True)
class Wanted:
    """Says which records tables are made of, and which values are shown.

    Attributes:
        folder: the results folder.
        task: only this task's; None for all.
        seeds: only these; all for none.
        metrics: headline metrics to show, in this order; all for None.
    """

    folder: Path
    task: str | None = None
    seeds: tuple[int, ...] = ()
    metrics: tuple[str, ...] | None = None


def read_tables(wanted: Wanted, *, cache: Path | None = None, track: Track | None = None) -> Tables:
    """Make the tables of a results folder.

    Args:
        wanted: which records and values.
        cache: folder where records and tables are remembered; None for nowhere.
        track: shows how far it is where there are many records; None for nothing.

    Raises:
        UsageError: There are no records of the task or of a seed, or a metric is unknown.
        ContentChanged: Records are being written all the time.
    """
    for _ in range(TRIES - 1):
        with suppress(ContentChanged):
            return _read_tables(wanted, cache, track)
    return _read_tables(wanted, cache, track)


def _read_tables(wanted: Wanted, cache: Path | None, track: Track | None) -> Tables:
    slimmer = Slimmer()
    index = RecordIndex(wanted.folder, cache, slimmer.slim)
    look = Look(wanted.metrics, tuple(METHODS.names()), wanted.folder)
    entries, left_out = sift(_entries(index, wanted, track), wanted.folder)
    entries = _of_seeds(entries, wanted)
    by_table = {GroupKey.of_text(text): of_table for text, of_table in _grouped(entries).items()}
    recorded = {} if look.metrics is None else _recorded(entries)
    if look.metrics is not None and not by_table:
        _refuse_unknown(look.metrics)
    shown = [look.metrics, look.expected_methods, str(look.results), recorded]
    place = None if cache is None or index.code is None else _place_in(cache, wanted)
    kept = KeptTables(place, fingerprint([index.code, *shown]))
    keys = sorted(by_table)
    texts = []

    def record_of(entry: Entry) -> RunResult:
        return index.fresh.pop(entry.digest, None) or slimmer.slim(
            RunResult.model_validate_json(content_of(entry))
        )

    for key in keys if track is None or len(entries) < MANY else track(keys, len(keys), "make tables"):
        of_table = by_table.pop(key)
        make = functools.partial(_make, map(record_of, of_table), look, recorded)
        texts.append(kept.text(Table(key, _content(of_table)), make))
    over_tasks = kept.overall(texts)
    if index.code == judging_code():  # else some texts may be by other code
        kept.save(is_whole=wanted.task is None)
    return Tables(texts, left_out, over_tasks)


def _entries(index: RecordIndex, wanted: Wanted, track: Track | None) -> list[Entry | Unreadable]:
    """Return the files of the records, all seeds included.

    Raises:
        UsageError: There are none of the task.
    """
    found = index.entries(wanted.task, track)
    if wanted.task is not None and not found:
        every = [one for one in index.entries() if isinstance(one, Entry)]
        known = sorted({GroupKey.of_text(text).task for text in {one.known.table for one in every}})
        hint = did_you_mean(wanted.task, known)
        raise UsageError(f"no records of task {wanted.task!r} in {wanted.folder}{hint}")
    return found


def _of_seeds(entries: list[Entry], wanted: Wanted) -> list[Entry]:
    """Return the records of the seeds that are wanted.

    Raises:
        UsageError: There are none of one of them.
    """
    if not wanted.seeds:
        return entries
    known = {one.known.seed for one in entries}
    for seed in wanted.seeds:
        if seed not in known:
            there = f"; there are {', '.join(map(str, sorted(known)))}" if known else ""
            raise UsageError(f"no records of seed {seed} in {wanted.folder}{there}")
    return [one for one in entries if one.known.seed in wanted.seeds]


def _place_in(cache: Path, wanted: Wanted) -> Path:
    """Return the file of the texts of one folder, by the same seeds and values."""
    options = [os.fsencode(wanted.folder.absolute()).hex(), wanted.seeds, wanted.metrics]
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
def _make(records: Iterable[RunResult], look: Look, recorded: Mapping[str, Direction]) -> TableText:
    """Render one table.

    Args:
        records: its records, which are read as they are asked for.
        look: what is shown of them.
        recorded: directions of all records' headline values.

    Raises:
        ContentChanged: One of the files is another than it was.
    """
    from mmulbench.report.leaderboard import render_table  # it takes long to import

    (group,) = group_records(records, look.expected_methods)
    return render_table(group, look, recorded)
