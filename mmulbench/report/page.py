"""Put the leaderboard together from the texts of its tables, however these came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from mmulbench.records.group_key import GroupKey
from mmulbench.records.record_files import MOST_NAMED, Unreadable
from mmulbench.report.answer import answer
from mmulbench.report.cells import IN_LINKS, code, escape
from mmulbench.report.overall import Overall, largest_tables
from mmulbench.report.paper_table import PaperPart, paper_section
from mmulbench.report.picture_names import FOLDED, SHOWN, pictures_of
from mmulbench.report.standing import Standing, listed_seeds
from mmulbench.report.standing_markdown import folded, folded_tables, overall_parts, ranked_table
from mmulbench.report.standing_view import View, viewed

INTRODUCTION = """\
How to read it; [the long form](docs/concepts/leaderboard.md) has an example.

- Each task begins with the answer: which method, whether it can be told from the next, what it costs.
- The **gap** is the mean distance to `retrain`, which never saw the deleted data, in test, retain and forget
  utility and in the attack's AUC on its worst path; in brackets is its 95 % t interval over seeds, cut at 0.
- Rows of one **rank** cannot be told from its first; bold is what cannot be told from the best.
- Below the line is what never forgot: in every seed an attack still knows the deleted data, as it knows it
  from the `original`, which has unlearned nothing. `retrain′` is retrain by other training seeds: no method
  can be expected to come closer than it.
- Rows marked † lost utility and do not compete. "(tuned)" are settings that `mmulbench tune` found; a method
  without is shown by its own. Other settings, all values, commands and records are folded."""

VALUES = """\
A cell is the mean ± standard deviation over seeds. →retrain: closest to retrain is better, and Δ is the
mean distance to it, seed by seed. ≥retrain: in parentheses are the points above or below retrain; to be
below is a loss, to be above no merit. `chance` knows nothing. A model may judge a pair in several ways, its
paths; each may leak. "Tuned": how many trials of `mmulbench tune` were done, and the budget of each as a
part of retrain's floating-point operations. "Default kept": on held-out data the best trial was no better
than the method's own settings, which "no" stands for. "No better than doing nothing": in tuning the
untouched original was as close to retrain. "Except": these settings were changed by hand; "by hand": no
study was asked. "missing" was not run or could not be computed, "N/A" has no meaning for the task. Seconds
are those of unlearning alone."""
"""What the cells of the table of all values say."""


@dataclass(frozen=True)
class Look:
    """Holds what is shown of tables.

    Attributes:
        metrics: headline metrics, in this order, and nothing else; all for None.
        expected_methods: methods named as missing below a table that has no record of them.
        results: the results folder as seen from the leaderboard's, for the links to the records.
    """

    metrics: Sequence[str] | None = None
    expected_methods: tuple[str, ...] = ()
    results: Path = Path("results")


@dataclass(frozen=True)
class TableText:
    """Holds what a page shows of one table.

    Attributes:
        key: what its records share.
        standing: how its methods stand.
        details: what is folded below: all values, commands and records.
        paper: the same by the paper's protocol; None where that is not shown, or has nothing to say.
    """

    key: GroupKey
    standing: Standing
    details: str
    paper: PaperPart | None


class Pictures(NamedTuple):
    """Holds the published pictures of tables.

    Attributes:
        shown: the picture below each table.
        folded: the one that is folded.
    """

    shown: Mapping[GroupKey, Path]
    folded: Mapping[GroupKey, Path]


class Tables(NamedTuple):
    """Holds the tables of a results folder, whatever form they are shown in.

    Attributes:
        texts: the tables, in the order of their keys.
        left_out: the files that are no records or do not hold together.
        overall: how methods rank over all tasks; None where tasks have none in common.
    """

    texts: Sequence[TableText]
    left_out: Sequence[Unreadable]
    overall: Overall | None


@dataclass(frozen=True)
class PageLook:
    """Says how a page is made.

    Attributes:
        command: the command that makes its text, named in it.
        view: which lines and fields are shown.
        results: the results folder as seen from the page's, for the pictures in it.
    """

    command: str = "mmulbench leaderboard"
    view: View = field(default_factory=View)
    results: Path = Path("results")


def page(found: Tables, look: PageLook) -> str:
    """Return the whole page.

    Args:
        found: its tables, and files that are no valid records, listed at the end.
        look: how it is made.

    Raises:
        UsageError: No table has a method or a value that the view names.
    """
    tables, unreadable, over_tasks = found
    parts = ["# Leaderboard", f"Generated by {code(look.command)}; do not edit.", INTRODUCTION]
    if not tables:
        parts.append("No runs yet: `mmulbench run --task TASK --method METHOD` makes the first record.")
    standings = {one.key: one for one in viewed([table.standing for table in tables], look.view)}
    shown = [replace(one, standing=standings[one.key]) for one in tables if one.key in standings]
    pictures = Pictures(*(pictures_of(shown, look.results, kind) for kind in (SHOWN, FOLDED)))
    for task, of_task in groupby(shown, key=lambda table: table.key.task):
        parts += [f"## {escape(task)}", *_of_task([*of_task], pictures, look.view)]
    if not look.view.methods:
        parts += [] if over_tasks is None else ["## Over all tasks", *overall_parts(over_tasks)]
        parts += paper_section([table.paper for table in tables])
    if unreadable:
        parts += ["## Left out", _left_out(unreadable)]
    return "\n\n".join(parts) + "\n"


def _of_task(tables: Sequence[TableText], pictures: Pictures, view: View) -> Iterator[str]:
    """Yield the parts of a task: its largest table, and the others folded."""
    (largest,) = largest_tables([table.standing for table in tables])
    first = next(table for table in tables if table.standing is largest)
    yield from _of_table(first, pictures, view)
    for table in tables:
        if table is not first:
            what = f"{table.key.backbone}, {table.key.forget_text}"
            yield folded(escape(what), "\n\n".join(_of_table(table, pictures, view)))


def _of_table(table: TableText, pictures: Pictures, view: View) -> Iterator[str]:
    """Yield the parts of a table: what it answers, its ranks, its picture, and the rest folded."""
    standing = table.standing
    yield f"### {escape(f'{table.key.backbone}, {table.key.forget_text}, {listed_seeds(standing)}')}"
    if not view.methods:
        yield escape(" ".join(answer(standing)))
    yield from ranked_table(standing, view)
    if (picture := pictures.shown.get(table.key)) is not None:
        yield _picture(f"Forgetting against retention on {table.key.task}", picture)
    if (picture := pictures.folded.get(table.key)) is not None:
        what = "On each path: original, method and retrain"
        yield folded(what, _picture(f"{what}, on {table.key.task}", picture))
    yield from folded_tables(standing, view)
    if not view.methods:
        yield table.details


def _picture(what: str, path: Path) -> str:
    return f"![{escape(what)}]({quote(bytes(path), safe=IN_LINKS)})"


def paper_page(tables: Sequence[PaperPart | None], command: str) -> str:
    """Return a page of the tables by the paper's protocol alone.

    Args:
        tables: what each table gives to it, in the order of their keys.
        command: the command that makes this text, named in it.
    """
    parts = paper_section(tables)
    parts = parts or ["No runs yet of a model with a fused path."]
    heading = ["# MMUL by its paper's protocol", f"Generated by {code(command)}; do not edit."]
    return "\n\n".join([*heading, *parts]) + "\n"


def holds(path: Path, text: str) -> bool:
    """Check whether a file holds exactly this leaderboard; False where there is no such file.

    Args:
        path: the file.
        text: the leaderboard.
    """
    return path.is_file() and path.read_bytes() == text.encode()


def _left_out(files: Sequence[Unreadable]) -> str:
    """Name what is no valid record, each with its reason in one line; of many the first ones."""
    lines = [f"- {code(str(file.path))}: {escape(file.reason)}" for file in files[:MOST_NAMED]]
    if len(files) > MOST_NAMED:
        lines.append(f"- and {len(files) - MOST_NAMED:,} more: {code('mmulbench validate')} names them all")
    return "\n".join(lines)
