"""``mmulbench new`` and ``mmulbench check``: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmulbench.cli import completions
from mmulbench.cli.options import WHERE, AsJson, DataDir, Debug, Plugins, path

new_app = typer.Typer(
    help="Write a new method, task or metric and its test, ready to run.", no_args_is_help=True
)
check_app = typer.Typer(
    help="Check that a method, task, backbone or metric holds to the contract of its kind.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME")]
MethodName = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completions.method)]
TaskName = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completions.task)]
FamilyName = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completions.family)]
MetricName = Annotated[str, typer.Argument(metavar="NAME", autocompletion=completions.metric)]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        parser=path,
        rich_help_panel=WHERE,
        help="Write here, to be run with --plugin. (a checkout's own folders, else the current one)",
    ),
]


@new_app.command("method")
def new_method(name: Name, folder: Folder = None, debug: Debug = False) -> None:
    """Write a method that works and its test; say what to do next."""
    from mmulbench.authoring.scaffold import write_new

    print("\n".join(write_new("method", name, folder)))


@new_app.command("task")
def new_task(name: Name, folder: Folder = None, debug: Debug = False) -> None:
    """Write a task that reads a folder of images and captions, and its test; say what to do next."""
    from mmulbench.authoring.scaffold import write_new

    print("\n".join(write_new("task", name, folder)))


@new_app.command("metric")
def new_metric(name: Name, folder: Folder = None, debug: Debug = False) -> None:
    """Write a metric that works and its test; say what to do next."""
    from mmulbench.authoring.scaffold import write_new

    print("\n".join(write_new("metric", name, folder)))


@check_app.command("method")
def check_method(
    name: MethodName, plugin: Plugins = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Try a method on a tiny model of every kind of task; exit 1 where it breaks the contract."""
    from mmulbench.conformance import report
    from mmulbench.defaults import plugin_files

    raise typer.Exit(report.check_method(name, plugin_files(plugin), as_json=as_json, debug=debug))


@check_app.command("backbone")
def check_backbone(
    name: FamilyName, plugin: Plugins = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Try a backbone on made-up items of every kind it serves; exit 1 where it breaks the contract."""
    from mmulbench.conformance import report
    from mmulbench.defaults import plugin_files

    raise typer.Exit(report.check_backbone(name, plugin_files(plugin), as_json=as_json, debug=debug))


@check_app.command("task")
def check_task(
    name: TaskName,
    data_dir: DataDir = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Try a task on its data; exit 1 where it breaks the contract."""
    from mmulbench import defaults
    from mmulbench.conformance import report

    plugins = defaults.plugin_files(plugin)
    raise typer.Exit(
        report.check_task(name, defaults.data_dir(data_dir), plugins, as_json=as_json, debug=debug)
    )


@check_app.command("metric")
def check_metric(
    name: MetricName, plugin: Plugins = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Try a metric on arrays of which the truth is known; exit 1 where it breaks the contract."""
    from mmulbench.conformance import report
    from mmulbench.defaults import plugin_files

    raise typer.Exit(report.check_metric(name, plugin_files(plugin), as_json=as_json, debug=debug))
