"""``mmulbench leaderboard``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli import completions
from mmulbench.cli.names import seeds, several
from mmulbench.cli.options import OUTPUT, WHAT, Debug, OnlyTask, Results, path


def leaderboard(
    task: OnlyTask = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            "-m",
            rich_help_panel=WHAT,
            autocompletion=completions.methods,
            help="Only these, with their ranks among all: a name, or several with commas; repeatable.",
        ),
    ] = None,
    seed: Annotated[
        list[str] | None,
        typer.Option(
            "--seed", "-s", rich_help_panel=WHAT, help="Only runs of these seeds: 42, or 42,87; repeatable."
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            rich_help_panel=WHAT,
            autocompletion=completions.metrics,
            help="Only these columns: a metric, or several with commas; repeatable.",
        ),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", rich_help_panel=WHAT, help="All columns, and other settings of methods.")
    ] = False,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="COLUMN",
            rich_help_panel=WHAT,
            help="By gap, method, verdict, attack, test, shadows, cost, or a metric that is shown.",
        ),
    ] = "gap",
    paper: Annotated[
        bool, typer.Option("--paper", rich_help_panel=WHAT, help="Only the tables of MMUL's paper.")
    ] = False,
    results_dir: Results = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            rich_help_panel=OUTPUT,
            help="table, md, csv, json, latex or html. [table on a terminal, md in a pipe, as --output ends]",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", parser=path, rich_help_panel=OUTPUT, help="Write here, not to standard output."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            rich_help_panel=OUTPUT,
            help="Exit 1 if the output file, or a picture in the results' plots, differs from the records.",
        ),
    ] = False,
    debug: Debug = False,
) -> None:
    """Rank the methods of each task by the records."""
    from mmulbench.api.tables import Wanted
    from mmulbench.cli.leaderboard_output import Choices, make_leaderboard
    from mmulbench.report.standing_view import View

    metrics = several(metric, "--metric") or None
    wanted = Wanted(defaults.results_dir(results_dir), task, seeds(seed), metrics)
    view = View(sort, several(method, "--method"), wide, only_columns=metrics is not None)
    make_leaderboard(Choices(wanted, view, form, output, paper, check))
