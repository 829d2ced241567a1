"""The command that says whether records hold together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli.options import AsJson, Debug, Plugins, Results


def validate(
    records: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RECORD", help="Files and folders; by default the results folder."),
    ] = None,
    results_dir: Results = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Check records: form, ranges, parts that agree, id and place, settings, command.

    Exits with 1 where one does not hold.
    """
    from mmulbench.cli.validate_output import print_checked

    files = defaults.plugin_files(plugin)
    if files:
        from mmulbench.core.plugins import load_plugins

        load_plugins(files)
    raise typer.Exit(print_checked(records or [defaults.results_dir(results_dir)], as_json=as_json))
