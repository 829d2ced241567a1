"""``mmulbench compare``: its options."""

from __future__ import annotations

from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli import completions
from mmulbench.cli.options import WHAT, AsJson, Debug, OnlyTask, Plugins, Results

SIDE = "A method, a variant such as mmul@lr=0.001 or mmul@tuned, or a record's path or start of its id."


def compare(
    first: Annotated[
        str, typer.Argument(metavar="A", autocompletion=completions.method, help=SIDE, show_default=False)
    ],
    second: Annotated[
        str, typer.Argument(metavar="B", autocompletion=completions.method, help="The same of the other.")
    ],
    task: OnlyTask = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone",
            "-b",
            rich_help_panel=WHAT,
            autocompletion=completions.backbone,
            help="Only with this backbone: family:variant.",
        ),
    ] = None,
    forget_size: Annotated[
        int | None,
        typer.Option("--forget-size", min=1, rich_help_panel=WHAT, help="Only with so many forget units."),
    ] = None,
    results_dir: Results = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare two methods, paired over seeds and forget units: difference, interval, effect size, p-value."""
    from mmulbench.cli.compare_output import print_comparison

    files = defaults.plugin_files(plugin)
    if files:
        from mmulbench.core.plugins import load_plugins

        load_plugins(files)
    options = {"task": task, "backbone": backbone, "forget_size": forget_size, "results_dir": results_dir}
    print_comparison(first, second, options, as_json=as_json)
