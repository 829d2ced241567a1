"""The command line: options in, one call, output; no logic of its own."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from mmulbench import __version__, defaults
from mmulbench.cli import launch
from mmulbench.cli.author import check_app, new_app
from mmulbench.cli.bash_words import whole_words
from mmulbench.cli.compare import compare
from mmulbench.cli.data import data_app
from mmulbench.cli.evaluate import evaluate
from mmulbench.cli.export import export
from mmulbench.cli.help import dress
from mmulbench.cli.leaderboard import leaderboard
from mmulbench.cli.look_up import describe, list_
from mmulbench.cli.names import methods_of_run, one_task, seeds, several
from mmulbench.cli.options import (
    WHERE,
    AsJson,
    BackboneName,
    CacheDir,
    DataDir,
    Debug,
    Device,
    Forget,
    ForgetSize,
    ForgetWhere,
    LoggerDir,
    Loggers,
    Methods,
    NoReference,
    NoUnits,
    Original,
    Overwrite,
    OverwriteChoice,
    Plugins,
    Processes,
    Quiet,
    RecordIds,
    Results,
    Retrain,
    RetrainFrom,
    SaveModel,
    Seeds,
    Settings,
    Shadows,
    TaskOption,
    TunedDir,
    Untuned,
)
from mmulbench.cli.plot import plot
from mmulbench.cli.report import report
from mmulbench.cli.selftest import selftest_app
from mmulbench.cli.slips import hint
from mmulbench.cli.sweep import SlurmOptions, cancel, logs, retry, status, submit_run, sweep
from mmulbench.cli.terminal import replace_signs
from mmulbench.cli.tune import tune
from mmulbench.cli.validate import validate
from mmulbench.errors import MmulbenchError, UsageError, traceback_of
from mmulbench.files import reason_of
from mmulbench.plain_text import one_line, visible
from mmulbench.streams import patient_streams

app = typer.Typer(
    name="mmulbench",
    help="Benchmark for multimodal machine unlearning: run methods on tasks, judge them beside retraining.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(data_app, name="data")
app.add_typer(new_app, name="new")
app.add_typer(check_app, name="check")
app.add_typer(selftest_app, name="selftest")
for command in (
    tune,
    sweep,
    status,
    logs,
    retry,
    cancel,
    validate,
    compare,
    report,
    export,
    evaluate,
    leaderboard,
    plot,
):
    app.command()(command)

INTERRUPTED = 130


class RunExecutor(StrEnum):
    """Names where runs are made."""

    local = "local"
    slurm = "slurm"


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Benchmark for multimodal machine unlearning."""
    if version:
        print(f"mmulbench {__version__}")
        raise typer.Exit


@app.command()
def run(
    context: typer.Context,
    method: Methods,
    task: TaskOption,
    backbone: BackboneName = None,
    seed: Seeds = None,
    forget_size: ForgetSize = None,
    forget: Forget = None,
    forget_where: ForgetWhere = None,
    settings: Settings = None,
    data_dir: DataDir = None,
    results_dir: Results = None,
    cache_dir: CacheDir = None,
    tuned_dir: TunedDir = None,
    plugin: Plugins = None,
    device: Device = "auto",
    processes: Processes = 1,
    executor: Annotated[
        RunExecutor,
        typer.Option(
            "--executor", rich_help_panel=WHERE, help="In this process, or as Slurm jobs: then a sweep."
        ),
    ] = RunExecutor.local,
    slurm: SlurmOptions = None,
    overwrite: Overwrite = OverwriteChoice.failed,
    original: Original = None,
    retrain_from: RetrainFrom = None,
    retrain: Retrain = None,
    no_reference: NoReference = False,
    untuned: Untuned = False,
    shadows: Shadows = 0,
    no_units: NoUnits = False,
    record_ids: RecordIds = False,
    save_model: SaveModel = None,
    logger: Loggers = None,
    logger_dir: LoggerDir = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Unlearn with a method on a task, and judge the result beside the original and retrain."""
    task = one_task(task, "run")
    if processes > 1 and (executor is RunExecutor.slurm or slurm):
        raise UsageError("--processes divides a run between this machine's GPUs; leave it out with Slurm")
    if processes > 1 and not launch.is_started():
        raise typer.Exit(launch.start(processes, device, context.obj))
    from mmulbench.cli.run_output import run_and_print
    from mmulbench.runs.request import DEFAULT_SEED, Request

    plugins = defaults.plugin_files(plugin)
    request = Request(
        methods=methods_of_run(method, task, plugins),
        task=task,
        backbone=backbone,
        seeds=seeds(seed) or (DEFAULT_SEED,),
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
        plugins=plugins,
        tuned_dir=defaults.tuned_dir(tuned_dir),
        untuned=untuned,
        shadows=shadows,
        units=not no_units,
        record_ids=record_ids,
        original=original,
        retrain_from=retrain_from,
        retrain=retrain,
        loggers=several(logger, "--logger"),
        logger_dir=defaults.logger_dir(logger_dir) if logger else None,
        checkpoint_seconds=defaults.checkpoint_seconds(),
    )
    if executor is RunExecutor.slurm or slurm:
        if save_model is not None:
            raise UsageError("--save-model writes where the command runs: with Slurm, use mmulbench export")
        raise typer.Exit(submit_run(request, executor.value, slurm or (), as_json=as_json))
    with launch.taking_part(device):
        code = run_and_print(request, as_json=as_json, quiet=quiet, debug=debug, save_to=save_model)
    raise typer.Exit(code)


@app.command()
def show(
    record: Annotated[
        str, typer.Argument(help="Its path, the start of its id, or a name: then all records of that name.")
    ],
    results_dir: Results = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show a record: specification, values, verdict, environment; or the records that a name has."""
    from mmulbench.records.lookup import find_records

    results = defaults.results_dir(results_dir)
    found = find_records(record, results)
    if len(found) > 1:
        from mmulbench.cli.record_list import print_records

        print_records(found, results, as_json=as_json)
        return
    from mmulbench.cli.run_output import show_record

    raise typer.Exit(show_record(found[0], as_json=as_json))


@app.command()
def schema(debug: Debug = False) -> None:
    """Print the JSON schema of a record."""
    from mmulbench.records.schema import RunResult

    print(json.dumps(RunResult.model_json_schema(), indent=2))


app.command("list")(list_)
app.command()(describe)
dress(app)


def main(arguments: list[str] | None = None) -> int:
    """Entry point: runs a command and turns failures into one line and an exit code.

    Returns:
        0; 1 for a failure; 2 for wrong use; 130 when interrupted.
    """
    replace_signs()
    words = sys.argv[1:] if arguments is None else arguments
    # Threads that spin while waiting slow each other many times over when two runs share the cores.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    with patient_streams() as streams:
        try:
            with whole_words():
                code = _run(words)
        except KeyboardInterrupt:  # once more, while the first is dealt with
            code = INTERRUPTED
        if code == INTERRUPTED and arguments is None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stdout.flush()
        for failure in (stream.failure for stream in streams):
            if failure is not None and failure.errno != errno.EPIPE:  # who closes a pipe has read enough
                print(f"mmulbench: cannot print: {reason_of(failure)}", file=sys.stderr)
                code = code or 1
    return code


def _run(words: list[str]) -> int:
    """Run a command.

    Returns:
        Its exit code.
    """
    try:
        code = _exit_code(app(words, standalone_mode=False, obj=words))
    except (KeyboardInterrupt, typer.Abort):  # which of these, or the code itself, depends on typer's version
        code = INTERRUPTED
    except Exception as error:
        return _failed(error, debug="--debug" in words)
    if code == INTERRUPTED and not launch.is_started():
        print(
            "mmulbench: interrupted; what is finished is kept: run the same command to go on", file=sys.stderr
        )
    return code


def _exit_code(result: Any) -> int:
    return result if isinstance(result, int) else 0


def _failed(error: Exception, *, debug: bool) -> int:
    """Print one line, and the traceback where it is asked for.

    Returns:
        The exit code.
    """
    if debug:
        for line in traceback_of(error).splitlines():
            print(visible(line), file=sys.stderr)
    if isinstance(error, MmulbenchError):
        text, code = str(error), error.exit_code
    elif hasattr(error, "format_message") and hasattr(error, "exit_code"):  # wrong use, found by the parser
        text, code = _said(error), int(error.exit_code)
    else:
        from mmulbench.failure import located

        text, code = f"{located(error)}; --debug shows the whole traceback", 1
    if line := one_line(text):  # there is none where help was printed
        print(f"mmulbench: {line}", file=sys.stderr)
    return code


def _said(error: Any) -> str:
    """Return what the parser says, with a hint where there is one."""
    return f"{error.format_message()}{hint(error)}".replace("Value error, ", "")
