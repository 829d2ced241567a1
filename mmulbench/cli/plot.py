"""``mmulbench plot``: its options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli import completions
from mmulbench.cli.names import several
from mmulbench.cli.options import OUTPUT, WHAT, Debug, OnlyTask, Results, path


def plot(
    task: OnlyTask = None,
    figure: Annotated[
        list[str] | None,
        typer.Option(
            "--figure",
            "-f",
            rich_help_panel=WHAT,
            autocompletion=completions.figures,
            help="Only these figures: a name, or several with commas; repeatable.",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            rich_help_panel=WHAT,
            autocompletion=completions.metric,
            help="Utility on the vertical axis.",
        ),
    ] = None,
    results_dir: Results = None,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            parser=path,
            rich_help_panel=OUTPUT,
            help="Folder for PNG, SVG, PDF and CSV files.",
        ),
    ] = Path("plots"),
    debug: Debug = False,
) -> None:
    """Plot the records, each figure as a picture and its numbers."""
    from mmulbench.api.records import read_records
    from mmulbench.cli.leaderboard_output import report_left_out
    from mmulbench.report.plots import Choice, write_plots

    results = defaults.results_dir(results_dir)
    records, unreadable = read_records(results, task)
    report_left_out(unreadable)
    choice = Choice(several(figure, "--figure"), metric, results)
    for (name, reason), tables in write_plots(records, output, choice, print).left_out.items():
        where = tables[0] if len(tables) == 1 else f"{tables[0]} and {len(tables) - 1} more"
        print(f"mmulbench: no figure {name} of {where}: {reason}", file=sys.stderr)
