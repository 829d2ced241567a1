"""Define the command ``evaluate``: a model that was made elsewhere, judged like any other."""

from __future__ import annotations

from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli.names import one_task
from mmulbench.cli.options import (
    WHAT,
    AsJson,
    BackboneName,
    CacheDir,
    DataDir,
    Debug,
    Device,
    Forget,
    ForgetSize,
    ForgetWhere,
    NoReference,
    NoUnits,
    Original,
    Overwrite,
    OverwriteChoice,
    Plugins,
    Quiet,
    RecordIds,
    Results,
    Retrain,
    RetrainFrom,
    Settings,
    TaskOption,
)


def evaluate(
    checkpoint: Annotated[
        str,
        typer.Argument(
            help="The unlearned model: a folder in the transformers layout, ALBEF's file, or an export."
        ),
    ],
    task: TaskOption,
    name: Annotated[
        str, typer.Option("--name", rich_help_panel=WHAT, help="What its method is called in tables.")
    ],
    backbone: BackboneName = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", "-s", min=0, rich_help_panel=WHAT, help="Seed of original, retrain and forget set."
        ),
    ] = 42,
    forget_size: ForgetSize = None,
    forget: Forget = None,
    forget_where: ForgetWhere = None,
    original: Original = None,
    retrain_from: RetrainFrom = None,
    retrain: Retrain = None,
    settings: Settings = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", rich_help_panel=WHAT, help="What unlearning took, in seconds, if known."),
    ] = None,
    flops: Annotated[
        float | None, typer.Option("--flops", rich_help_panel=WHAT, help="Its FLOPs, if known.")
    ] = None,
    data_dir: DataDir = None,
    results_dir: Results = None,
    cache_dir: CacheDir = None,
    plugin: Plugins = None,
    device: Device = "auto",
    overwrite: Overwrite = OverwriteChoice.failed,
    no_reference: NoReference = False,
    no_units: NoUnits = False,
    record_ids: RecordIds = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Judge a model that was made elsewhere, beside original and retrain; its record is like any other."""
    from mmulbench.cli.run_output import evaluate_and_print
    from mmulbench.runs.request import Request

    request = Request(
        task=one_task(task, "evaluate"),
        backbone=backbone,
        seeds=(seed,),
        forget_size=forget_size,
        forget=forget,
        forget_where=tuple(forget_where or ()),
        settings=tuple(settings or ()),
        device=device,
        data_dir=defaults.data_dir(data_dir),
        results_dir=defaults.results_dir(results_dir),
        cache_dir=defaults.cache_dir(cache_dir),
        overwrite=overwrite.value,
        reference=not no_reference,
        plugins=defaults.plugin_files(plugin),
        units=not no_units,
        record_ids=record_ids,
        original=original,
        retrain_from=retrain_from,
        retrain=retrain,
        untuned=True,
        checkpoint_seconds=defaults.checkpoint_seconds(),
    )
    code = evaluate_and_print(
        request, (checkpoint, name, seconds, flops), as_json=as_json, quiet=quiet, debug=debug
    )
    raise typer.Exit(code)
