"""Define the command ``evaluate``: a model that was made elsewhere, or further metrics of a record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli import completions
from mmulbench.cli.names import one_task, several
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
    MaybeTask,
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
    Shadows,
)
from mmulbench.errors import UsageError

OF_RECORDS = (
    *("checkpoint", "metrics", "model", "shadows", "forget", "plugin", "device"),
    *("data_dir", "results_dir", "cache_dir", "as_json", "quiet", "debug"),
)
"""Parameters of ``evaluate`` that say something of a record."""

HOW = "evaluate takes a model with --name and --task, or a record with --metrics"


def evaluate(
    context: typer.Context,
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_RECORD",
            help="The unlearned model: a folder in the transformers layout, ALBEF's file, or an export. With "
            "--metrics a record: its path, or the start of its id.",
        ),
    ],
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            rich_help_panel=WHAT,
            autocompletion=completions.metrics,
            help="Add these metrics to the record: a name, or several with commas; repeatable.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="PATH",
            rich_help_panel=WHAT,
            help="With --metrics: where its model was saved. Without, it is made again where need be.",
        ),
    ] = None,
    task: MaybeTask = None,
    name: Annotated[
        str | None, typer.Option("--name", rich_help_panel=WHAT, help="What its method is called in tables.")
    ] = None,
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
    shadows: Shadows = 0,
    no_units: NoUnits = False,
    record_ids: RecordIds = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Judge a model that was made elsewhere like any other, or add further metrics to a record."""
    results = defaults.results_dir(results_dir)
    if metrics:
        _refuse_besides(context)
        raise typer.Exit(_of_record(context, checkpoint, several(metrics, "--metrics"), results))
    if model is not None or shadows:
        raise UsageError(f"--{'shadows' if shadows else 'model'} goes with --metrics: {HOW}")
    if task is None or name is None:
        raise UsageError(f"{'--task' if task is None else '--name'} is missing: {HOW}")
    from mmulbench.cli.run_output import evaluate_and_print
    from mmulbench.runs.request import Request

    _refuse_record(checkpoint, results)
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
        results_dir=results,
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


def _of_record(context: typer.Context, record: str, metrics: tuple[str, ...], results: Path) -> int:
    """Add metrics to a record.

    Returns:
        The exit code.
    """
    from mmulbench.cli.run_output import add_and_print
    from mmulbench.handover.added import Asked
    from mmulbench.runs.request import RunOptions

    given = context.params
    options = RunOptions(
        device=given["device"],
        data_dir=defaults.data_dir(given["data_dir"]),
        results_dir=results,
        cache_dir=defaults.cache_dir(given["cache_dir"]),
        plugins=defaults.plugin_files(given["plugin"]),
        checkpoint_seconds=defaults.checkpoint_seconds(),
    )
    asked = Asked(metrics, given["shadows"], given["model"], given["forget"])
    return add_and_print(
        _place_of(record, results), options, asked, as_json=given["as_json"], quiet=given["quiet"]
    )


def _refuse_besides(context: typer.Context) -> None:
    """Refuse options that say something of a model that is judged, where a record is meant.

    Raises:
        UsageError: There is one.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE" and parameter.name not in OF_RECORDS:
            raise UsageError(
                f"{parameter.opts[0]} goes with a model, and --metrics with a record, which says it itself"
            )


def _place_of(text: str, results: Path) -> Path:
    """Return the file of the record that is meant.

    Raises:
        UsageError: There is none, or a model is there.
    """
    from mmulbench.records.lookup import find_record

    place = Path(text)
    try:
        if not place.is_file() or place.suffix == ".json":
            return find_record(text, results)
    except UsageError as error:
        if not place.exists():
            raise
        raise UsageError(f"{text} is no record: {HOW}") from error
    raise UsageError(f"{text} is no record: {HOW}")


def _refuse_record(text: str, results: Path) -> None:
    """Refuse what names a record where a model is meant; what lies at a path is never taken for one.

    Raises:
        UsageError: It does.
    """
    from mmulbench.records.lookup import find_records

    place = Path(text.rpartition("@")[0] or text)
    if place.suffix == ".json" and place.is_file():
        raise UsageError(f"{text} is a record, or no model: {HOW}")
    if place.exists():
        return
    try:
        found = find_records(text, results)
    except UsageError:
        return
    if found[0] != place:
        raise UsageError(f"there is no model {text}, and a record is called so ({found[0]}): {HOW}")
