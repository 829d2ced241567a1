"""``mmulbench tune``: its options."""

from __future__ import annotations

from typing import Annotated

import typer

from mmulbench.cli.options import (
    AsJson,
    BackboneName,
    CacheDir,
    DataDir,
    Debug,
    Device,
    ForgetSize,
    Plugins,
    Quiet,
    TunedDir,
)


def tune(
    task: Annotated[str, typer.Option("--task", "-t", help="Task to tune on.")],
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            help="Configurations tried for each method, defaults included. "
            "[20; 30 where four or more settings are searched]",
        ),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", "-m", help="Repeat for several; all by default.")
    ] = None,
    backbone: BackboneName = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", "-s", help="Repeat for several; none of records. [1 and 2]")
    ] = None,
    budget: Annotated[
        float, typer.Option("--budget", min=0.0, help="FLOPs of a trial, as a part of retrain's.")
    ] = 0.5,
    forget_size: ForgetSize = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="key=value: KEY, METHOD.KEY, recipe.KEY or task.KEY; where the search starts."
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace studies of another recipe, version or budget."),
    ] = False,
    device: Device = "auto",
    data_dir: DataDir = None,
    tuned_dir: TunedDir = None,
    cache_dir: CacheDir = None,
    plugin: Plugins = None,
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

    request = TuneRequest(
        task=task,
        trials=trials,
        methods=tuple(method or ()),
        backbone=backbone,
        seeds=tuple(dict.fromkeys(seed or DEFAULT_SEEDS)),
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
