"""Print and write the tables that ``mmulbench leaderboard`` makes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from mmulbench import defaults
from mmulbench.api.records import left_out_lines
from mmulbench.api.tables import make_page
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import is_written_through, write_atomically
from mmulbench.progress import make_progress
from mmulbench.records.record_files import Unreadable
from mmulbench.report.page import holds


def make_leaderboard(
    results: Path,
    task: str | None,
    metrics: list[str] | None,
    output: Path | None,
    *,
    paper: bool,
    check: bool,
) -> None:
    """Write the tables, or compare them with what is written.

    Args:
        results: folder of records.
        task: only this task; None for all.
        metrics: columns; None for all.
        output: file to write; None for standard output.
        paper: whether to make the tables of MMUL's paper alone.
        check: whether to compare instead.

    Raises:
        UsageError: A task or metric is unknown, or columns are chosen for tables that have their own.
        MmulbenchError: The file differs from the records.
    """
    if paper and metrics:
        raise UsageError("--paper has columns of its own: leave out --metric")
    options = [*(["--task", task] if task else []), *(f"--metric {name}" for name in metrics or [])]
    command = " ".join(["mmulbench leaderboard", *options, *(["--paper"] if paper else [])])
    with make_progress(bars=True) as progress:
        text, unreadable = make_page(
            results,
            task,
            metrics,
            command,
            paper=paper,
            cache=defaults.records_cache(),
            track=progress.track,
        )
    if check:
        path = output or Path("leaderboard.md")
        if not holds(path, text):
            place = shlex.join(["--results-dir", str(results), "--output", str(path)])
            raise MmulbenchError(f"{path} differs from the records in {results}: run {command} {place}")
        print(f"{path} matches the records in {results}")
    elif output is not None:
        write_atomically(output, text, "--output")
        if not is_written_through(output):  # standard output, perhaps: the tables alone go there
            print(output)
    else:
        print(text, end="")
    report_left_out(unreadable)


def report_left_out(left_out: Sequence[Unreadable]) -> None:
    """Name on standard error what tables leave out.

    Args:
        left_out: the files.
    """
    for line in left_out_lines(left_out):
        print(f"mmulbench: {line}", file=sys.stderr)
