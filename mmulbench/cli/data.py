"""``mmulbench data``: the options of its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli import completions
from mmulbench.cli.options import (
    WHAT,
    AsJson,
    BackboneName,
    CacheDir,
    DataDir,
    Debug,
    Plugins,
)

data_app = typer.Typer(help="What data a task needs, and whether it is all there.", no_args_is_help=True)

TaskName = Annotated[str, typer.Argument(metavar="TASK", autocompletion=completions.task)]

TaskSettings = Annotated[
    list[str] | None, typer.Option("--set", rich_help_panel=WHAT, help="task.KEY=value; repeatable.")
]


@data_app.command("info")
def data_info(task: TaskName, plugin: Plugins = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Say what a task's data is, its terms, its size, and what to put where."""
    from mmulbench.cli.data_check import print_info

    print_info(task, defaults.plugin_files(plugin), as_json=as_json)


@data_app.command("check")
def data_check(
    task: TaskName,
    hub: Annotated[
        str,
        typer.Option(
            "--hub", rich_help_panel=WHAT, help="owner/name on a hub, or a folder of its files, instead."
        ),
    ] = "",
    settings: TaskSettings = None,
    data_dir: DataDir = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Count a task's data against what there should be; list missing and damaged files, show a sample."""
    from mmulbench.cli.data_check import print_check

    plugins = defaults.plugin_files(plugin)
    place = defaults.data_dir(data_dir)
    raise typer.Exit(print_check(task, place, plugins, hub=hub, settings=settings or [], as_json=as_json))


@data_app.command("prepare")
def data_prepare(
    task: TaskName,
    backbone: BackboneName = None,
    settings: TaskSettings = None,
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compute a task's model inputs into the cache; goes on where it was interrupted."""
    from mmulbench.cli.data_prepare import print_prepare

    print_prepare(
        task,
        backbone,
        settings or [],
        defaults.data_dir(data_dir),
        defaults.cache_dir(cache_dir),
        defaults.plugin_files(plugin),
        as_json=as_json,
    )
