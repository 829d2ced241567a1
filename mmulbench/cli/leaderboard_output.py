"""Print and write the tables that ``mmulbench leaderboard`` makes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmulbench import defaults
from mmulbench.api.pictures import picture_faults
from mmulbench.api.records import left_out_lines
from mmulbench.api.tables import Wanted, read_tables
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import is_written_through, write_atomically
from mmulbench.progress import make_progress
from mmulbench.records.record_files import Unreadable
from mmulbench.report.forms import TABLE, WRITERS, form_of
from mmulbench.report.page import PageLook, Tables, holds, paper_page
from mmulbench.report.picture_names import FOLDER
from mmulbench.report.standing_view import View, viewed


@dataclass(frozen=True)
class Choices:
    """Holds what the options of the command say.

    Attributes:
        wanted: which records and values.
        view: which lines and fields.
        form: how they are written; None where the output says it.
        output: file to write; None for standard output.
        paper: whether to make the tables of MMUL's paper alone.
        check: whether to compare with what is written instead.
    """

    wanted: Wanted
    view: View = field(default_factory=View)
    form: str | None = None
    output: Path | None = None
    paper: bool = False
    check: bool = False

    @property
    def command(self) -> str:
        """The command that makes the same tables, without folders."""
        wanted, view = self.wanted, self.view
        options = [
            *(["--task", wanted.task] if wanted.task else []),
            *(f"--metric {name}" for name in wanted.metrics or ()),
            *(f"--method {name}" for name in view.methods),
            *(f"--seed {seed}" for seed in wanted.seeds),
            *(["--sort", view.sort] if view.sort != "gap" else []),
            *(["--wide"] if view.wide else []),
            *(["--paper"] if self.paper else []),
        ]
        return " ".join(["mmulbench leaderboard", *options])


def make_leaderboard(choices: Choices) -> None:
    """Write the tables, or compare them with what is written.

    Args:
        choices: what the options say.

    Raises:
        UsageError: A name is unknown, or options exclude each other.
        MmulbenchError: The file differs from the records.
    """
    form = _form(choices)
    with make_progress(bars=True) as progress:
        tables = read_tables(choices.wanted, cache=defaults.records_cache(), track=progress.track)
    if form == TABLE:
        _show(tables, choices.view)
    else:
        _write(_text(tables, choices, form), choices)
    report_left_out(tables.left_out)


def _form(choices: Choices) -> str:
    """Return the form of the tables, where the options agree.

    Raises:
        UsageError: They do not.
    """
    if choices.paper and (choices.wanted.metrics or choices.view != View()):
        raise UsageError("--paper has rows and columns of its own: leave out --metric and what chooses rows")
    is_shown = sys.stdout.isatty() and not choices.paper and not choices.check
    form = form_of(choices.form, choices.output, TABLE if is_shown else "md")
    if choices.paper and form != "md":
        raise UsageError(f"--paper is written as Markdown alone: leave out --format {form}")
    if form == TABLE and (choices.output is not None or choices.check):
        raise UsageError(f"--format {TABLE} is for terminals: name one of {', '.join(WRITERS)}")
    return form


def _text(tables: Tables, choices: Choices, form: str) -> str:
    if choices.paper:
        return paper_page([table.paper for table in tables.texts], choices.command)
    look = PageLook(choices.command, choices.view, choices.wanted.folder)
    return WRITERS[form](tables, look)


def _show(tables: Tables, view: View) -> None:
    """Show the tables within the width that there is."""
    from mmulbench.report.standing_table import overall_lines, standing_tables
    from mmulbench.tables import show

    found = viewed([table.standing for table in tables.texts], view)
    if not found:
        show("No runs yet: mmulbench run --task TASK --method METHOD makes the first record.")
    for place, standing in enumerate(found):
        show(*([""] if place else []), *standing_tables(standing, view))
    if tables.overall is not None and not view.methods:
        show("", *overall_lines(tables.overall))


def _write(text: str, choices: Choices) -> None:
    """Write a text, or compare it.

    Raises:
        MmulbenchError: The file differs from it.
    """
    output = choices.output
    if choices.check:
        _check(text, output or Path("leaderboard.md"), choices)
    elif output is not None:
        write_atomically(output, text, "--output")
        if not is_written_through(output):  # standard output, perhaps: the tables alone go there
            print(output)
    else:
        print(text, end="")


def _check(text: str, path: Path, choices: Choices) -> None:
    """Compare a file with the records, and the published pictures beside these.

    Raises:
        MmulbenchError: One of them differs.
    """
    results = choices.wanted.folder
    if not holds(path, text):
        place = shlex.join(["--results-dir", str(results), "--output", str(path)])
        raise MmulbenchError(f"{path} differs from the records in {results}: run {choices.command} {place}")
    if faults := picture_faults(results, defaults.records_cache()):
        place = shlex.join(["--results-dir", str(results), "--output", str(results / FOLDER)])
        first = faults[0] if len(faults) == 1 else f"{faults[0]}, and {len(faults) - 1} more"
        raise MmulbenchError(f"{first}: run mmulbench plot {place}")
    print(f"{path} matches the records in {results}")


def report_left_out(left_out: Sequence[Unreadable]) -> None:
    """Name on standard error what tables leave out.

    Args:
        left_out: the files.
    """
    for line in left_out_lines(left_out):
        print(f"mmulbench: {line}", file=sys.stderr)
