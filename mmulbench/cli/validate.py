"""The command that says whether records hold together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli.options import AsJson, Debug, Plugins, Results


def validate(
    records: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RECORD",
            help="Files and folders; starts of ids or names, as for `show`; by default the results folder.",
        ),
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
    folder = defaults.results_dir(results_dir)
    places = [place for text in records or () for place in _places(text, folder)]
    raise typer.Exit(print_checked(places or [folder], as_json=as_json))


def _places(text: str, results: Path) -> list[Path]:
    """Return the files and folders that a word names: what there is of that path, or else records."""
    from mmulbench.records.lookup import find_records

    return [Path(text)] if text and Path(text).exists() else find_records(text, results)
