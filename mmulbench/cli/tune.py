"""``mmulbench tune``: its options."""

from __future__ import annotations

from typing import Annotated

import typer

from mmulbench.cli.completions import ALL
from mmulbench.cli.names import one_task, seeds, several
from mmulbench.cli.options import (
    HOW,
    WHAT,
    AsJson,
    BackboneName,
    CacheDir,
    DataDir,
    Debug,
    Device,
    ForgetSize,
    Plugins,
    Quiet,
    Settings,
    SomeMethods,
    TaskOption,
    TunedDir,
)


def tune(
    task: TaskOption,
    method: SomeMethods = None,
    backbone: BackboneName = None,
    seed: Annotated[
        list[str] | None,
        typer.Option(
            "--seed",
            "-s",
            rich_help_panel=WHAT,
            help="Seeds: 1, or 1,2; repeatable; none of records. [1 and 2]",
        ),
    ] = None,
    forget_size: ForgetSize = None,
    settings: Settings = None,
    data_dir: DataDir = None,
    tuned_dir: TunedDir = None,
    cache_dir: CacheDir = None,
    plugin: Plugins = None,
    device: Device = "auto",
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            rich_help_panel=HOW,
            help="Configurations tried for each method, defaults included. "
            "[20; 30 where four or more settings are searched]",
        ),
    ] = None,
    budget: Annotated[
        float,
        typer.Option(
            "--budget", min=0.0, rich_help_panel=HOW, help="FLOPs of a trial, as part of retrain's."
        ),
    ] = 0.5,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", rich_help_panel=HOW, help="Replace studies of another recipe, version or budget."
        ),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Search each method's settings on held-out data; the best become its defaults on this task."""
    from mmulbench import defaults
    from mmulbench.packages import package_folder

    package_folder("optuna", "mmulbench tune", "tune")
    from mmulbench.cli.tune_output import tune_and_print
    from mmulbench.tuning.session import DEFAULT_SEEDS, TuneRequest

    methods = several(method, "--method")
    request = TuneRequest(
        task=one_task(task, "tune"),
        trials=trials,
        methods=() if ALL in methods else methods,
        backbone=backbone,
        seeds=seeds(seed) or DEFAULT_SEEDS,
        budget=budget,
        forget_size=forget_size,
        settings=tuple(settings or ()),
        replace=replace,
        device=device,
        data_dir=defaults.data_dir(data_dir),
        tuned_dir=defaults.tuned_dir(tuned_dir),
        cache_dir=defaults.cache_dir(cache_dir),
        plugins=defaults.plugin_files(plugin),
    )
    raise typer.Exit(tune_and_print(request, as_json=as_json, quiet=quiet, debug=debug))
