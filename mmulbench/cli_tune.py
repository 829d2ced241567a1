"""``mmulbench tune``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def tune(
    task: Annotated[str, typer.Option("--task", "-t", help="Task to tune on.")],
    trials: Annotated[
        int,
        typer.Option("--trials", min=1, help="Configurations tried for each method, defaults included."),
    ] = 20,
    method: Annotated[
        list[str] | None, typer.Option("--method", "-m", help="Repeat for several; all by default.")
    ] = None,
    backbone: Annotated[
        str | None, typer.Option("--backbone", "-b", help="family:variant; the task's own by default.")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", "-s", help="Repeat for several; none of records. [1 and 2]")
    ] = None,
    budget: Annotated[
        float, typer.Option("--budget", min=0.0, help="FLOPs of a trial, as a part of retrain's.")
    ] = 1.0,
    forget_size: Annotated[
        str | None, typer.Option("--forget-size", help="Number of forget units, or a fraction such as 0.05.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="key=value: KEY, METHOD.KEY, recipe.KEY or task.KEY; where the search starts."
        ),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda:N.")] = "auto",
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Official data. (env MMULBENCH_DATA, ./data)")
    ] = None,
    tuned_dir: Annotated[
        Path | None, typer.Option("--tuned-dir", help="Studies go here. (env MMULBENCH_TUNED, ./tuned)")
    ] = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option("--cache-dir", help="Shared artifacts. (env MMULBENCH_CACHE, ~/.cache/mmulbench)"),
    ] = None,
    plugin: Annotated[
        list[Path] | None,
        typer.Option("--plugin", metavar="FILE", help="Your own methods or tasks. (env MMULBENCH_PLUGINS)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No bars and no table.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Search each method's settings on held-out data; the best become its defaults on this task."""
    from mmulbench import settings as folders
    from mmulbench.packages import package_folder

    package_folder("optuna", "mmulbench tune", "tune")
    from mmulbench.tunecommand import tune_and_print
    from mmulbench.tunesession import DEFAULT_SEEDS, TuneRequest

    request = TuneRequest(
        task=task,
        trials=trials,
        methods=method or [],
        backbone=backbone,
        seeds=tuple(dict.fromkeys(seed or DEFAULT_SEEDS)),
        budget=budget,
        forget_size=forget_size,
        settings=settings or [],
        device=device,
        data_dir=folders.data_dir(data_dir),
        tuned_dir=folders.tuned_dir(tuned_dir),
        cache_dir=folders.cache_dir(cache_dir),
        plugins=folders.plugin_files(plugin),
    )
    raise typer.Exit(tune_and_print(request, as_json=as_json, quiet=quiet))
