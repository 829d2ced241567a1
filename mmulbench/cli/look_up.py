"""``mmulbench list`` and ``mmulbench describe``: their options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli import completions
from mmulbench.cli.options import WHAT, AsJson, Debug, Plugins, Results, TunedDir


class Listable(StrEnum):
    """Names what can be listed."""

    tasks = "tasks"
    methods = "methods"
    backbones = "backbones"
    metrics = "metrics"


class Describable(StrEnum):
    """Names what can be described."""

    method = "method"
    task = "task"
    backbone = "backbone"
    metric = "metric"


def list_(
    what: Annotated[Listable, typer.Argument()],
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            "-t",
            rich_help_panel=WHAT,
            autocompletion=completions.task,
            help="Only methods, or backbones, for this task; the others with the reason.",
        ),
    ] = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List what there is."""
    from mmulbench.cli.list_output import print_list

    print_list(what.value, defaults.plugin_files(plugin), task=task, as_json=as_json)


def describe(
    what: Annotated[Describable, typer.Argument()],
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=completions.name_of_kind)],
    results_dir: Results = None,
    tuned_dir: TunedDir = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Describe a method, task, backbone or metric: settings and their ranges, where it applies, its cost."""
    from mmulbench.cli.describe_output import Places, print_description

    places = Places(defaults.results_dir(results_dir), defaults.tuned_dir(tuned_dir))
    print_description(what.value, name, places, defaults.plugin_files(plugin), as_json=as_json)
