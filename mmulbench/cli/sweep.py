"""Define the commands ``sweep``, ``status``, ``logs``, ``retry`` and ``cancel``, and their options."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmulbench.cli import completions
from mmulbench.cli.names import by_field, seeds, several, with_all_methods
from mmulbench.cli.options import (
    HOW,
    OUTPUT,
    WHAT,
    WHERE,
    AsJson,
    CacheDir,
    DataDir,
    Debug,
    Device,
    Forget,
    ForgetWhere,
    LoggerDir,
    Loggers,
    NoReference,
    NoUnits,
    Original,
    Overwrite,
    OverwriteChoice,
    Plugins,
    RecordIds,
    Results,
    Retrain,
    RetrainFrom,
    SaveModel,
    Seeds,
    Settings,
    Shadows,
    SomeMethods,
    TunedDir,
    Untuned,
    path,
)
from mmulbench.errors import UsageError

if TYPE_CHECKING:
    from mmulbench.runs.request import Request
    from mmulbench.sweeps.choose_executor import ExecutorOptions


class KeepChoice(StrEnum):
    """Names which models of a sweep are kept."""

    best = "best"
    all = "all"


class ExecutorName(StrEnum):
    """Names what makes the steps."""

    local = "local"
    slurm = "slurm"
    debug = "debug"


Keep = Annotated[
    KeepChoice,
    typer.Option(
        "--keep",
        rich_help_panel=OUTPUT,
        help="With --save-model: all models, or of each forget set and seed the one nearest to retrain.",
    ),
]
SweepName = Annotated[str | None, typer.Argument(metavar="[SWEEP]", help="Its id; the latest by default.")]
SweepsDir = Annotated[
    Path | None,
    typer.Option(
        "--sweeps-dir",
        parser=path,
        rich_help_panel=WHERE,
        help="Sweeps are kept here. (env MMULBENCH_SWEEPS, ./sweeps)",
    ),
]
ExecutorOption = Annotated[
    ExecutorName | None,
    typer.Option(
        "--executor",
        rich_help_panel=WHERE,
        help="local processes, slurm job arrays, or debug: in this one. [local]",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-w", min=1, rich_help_panel=WHERE, help="Worker processes side by side. [1]"),
]
Pack = Annotated[
    str | None,
    typer.Option(
        "--pack", rich_help_panel=HOW, help="Runs in one Slurm task: 10, or as many as take 30m. [1]"
    ),
]
SlurmOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm",
        metavar="KEY=VALUE",
        rich_help_panel=WHERE,
        help="Option of sbatch, such as partition=gpu; repeatable.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=1.0, rich_help_panel=HOW, help="Seconds a step may take; then it is ended."
    ),
]
Detach = Annotated[
    bool,
    typer.Option(
        "--detach",
        rich_help_panel=HOW,
        help="Start the workers and return; mmulbench status shows how far they are.",
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        "-t",
        rich_help_panel=WHAT,
        autocompletion=completions.tasks,
        help="Tasks: a name, or several with commas; repeatable.",
    ),
]
Backbones = Annotated[
    list[str] | None,
    typer.Option(
        "--backbone",
        "-b",
        rich_help_panel=WHAT,
        autocompletion=completions.backbone,
        help="family:variant, or several with commas; repeatable; the tasks' own by default.",
    ),
]
Sizes = Annotated[
    list[str] | None,
    typer.Option(
        "--forget-size",
        rich_help_panel=WHAT,
        help="Number of units or fraction, or several with commas; repeatable.",
    ),
]


Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="FIELD=VALUE",
        rich_help_panel=WHAT,
        help="Of all these runs, those alone: backbone=clip:mini, or seed=42,87; repeatable.",
    ),
]


def sweep(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Sweep file (YAML).")] = None,
    task: Tasks = None,
    method: SomeMethods = None,
    backbone: Backbones = None,
    seed: Seeds = None,
    forget_size: Sizes = None,
    forget: Forget = None,
    forget_where: ForgetWhere = None,
    settings: Settings = None,
    only: Only = None,
    data_dir: DataDir = None,
    results_dir: Results = None,
    cache_dir: CacheDir = None,
    tuned_dir: TunedDir = None,
    sweeps_dir: SweepsDir = None,
    plugin: Plugins = None,
    device: Device = "auto",
    executor: ExecutorOption = None,
    workers: Workers = None,
    slurm: SlurmOptions = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", rich_help_panel=HOW, help="Print the steps, run nothing.")
    ] = False,
    overwrite: Overwrite = OverwriteChoice.failed,
    original: Original = None,
    retrain_from: RetrainFrom = None,
    retrain: Retrain = None,
    no_reference: NoReference = False,
    untuned: Untuned = False,
    shadows: Shadows = 0,
    timeout: Timeout = None,
    pack: Pack = None,
    detach: Detach = False,
    no_units: NoUnits = False,
    record_ids: RecordIds = False,
    save_model: SaveModel = None,
    keep: Keep = KeepChoice.best,
    logger: Loggers = None,
    logger_dir: LoggerDir = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make many runs: every task with every method, seed and forget size, or what a file says."""
    from mmulbench import defaults
    from mmulbench.runs.request import RunOptions
    from mmulbench.sweeps import commands
    from mmulbench.sweeps.choose_executor import choose_executor
    from mmulbench.sweeps.grid import Part, given_grid
    from mmulbench.sweeps.slurm_settings import read_executor

    options = RunOptions(
        device=device,
        data_dir=defaults.data_dir(data_dir),
        results_dir=defaults.results_dir(results_dir),
        cache_dir=defaults.cache_dir(cache_dir),
        tuned_dir=defaults.tuned_dir(tuned_dir),
        overwrite=overwrite.value,
        reference=not no_reference,
        untuned=untuned,
        shadows=shadows,
        units=not no_units,
        record_ids=record_ids,
        save_models=save_model,
        keep=keep.value,
        original=original,
        retrain_from=retrain_from,
        retrain=retrain,
        plugins=defaults.plugin_files(plugin),
        loggers=several(logger, "--logger"),
        logger_dir=defaults.logger_dir(logger_dir) if logger else None,
        checkpoint_seconds=defaults.checkpoint_seconds(),
    )
    given = {
        "task": several(task, "--task"),
        "method": several(method, "--method"),
        "backbone": several(backbone, "--backbone"),
        "seed": seeds(seed),
        "forget_size": several(forget_size, "--forget-size"),
        "forget": forget,
        "forget_where": forget_where,
        "set": settings,
        "only": by_field(only, "--only", Part.model_fields),
    }
    wanted = _executor_options(executor, workers, timeout, detach, pack, slurm)
    grid = given_grid(file, {name: value for name, value in given.items() if value})
    command = shlex.join(["mmulbench", *sys.argv[1:]])
    code = commands.sweep(
        with_all_methods(grid, options.plugins),
        options,
        defaults.sweeps_dir(sweeps_dir),
        choose_executor(wanted, read_executor(file) if file is not None else {}),
        command,
        dry_run=dry_run,
        as_json=as_json,
        debug=debug,
    )
    raise typer.Exit(code)


def status(
    sweep: SweepName = None,
    sweeps_dir: SweepsDir = None,
    watch: Annotated[
        bool, typer.Option("--watch", rich_help_panel=HOW, help="Keep showing until all is done.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show how far a sweep is: what is done, runs, waits or failed, and how long is left."""
    from mmulbench.defaults import sweeps_dir as folder
    from mmulbench.sweeps import status_commands

    raise typer.Exit(status_commands.status(folder(sweeps_dir), sweep, watch=watch, as_json=as_json))


def logs(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Start of a step's id, as status shows it.")],
    sweep: SweepName = None,
    sweeps_dir: SweepsDir = None,
    debug: Debug = False,
) -> None:
    """Show what a step of a sweep printed."""
    from mmulbench.defaults import sweeps_dir as folder
    from mmulbench.sweeps import status_commands

    status_commands.logs(folder(sweeps_dir), sweep, run)


def retry(
    sweep: SweepName = None,
    failed: Annotated[
        bool,
        typer.Option(
            "--failed", rich_help_panel=WHAT, help="Only what failed or diverged, and what it needs."
        ),
    ] = False,
    only_missing: Annotated[
        bool,
        typer.Option("--only-missing", rich_help_panel=WHAT, help="Leave out what failed or diverged."),
    ] = False,
    sweeps_dir: SweepsDir = None,
    executor: ExecutorOption = None,
    workers: Workers = None,
    slurm: SlurmOptions = None,
    timeout: Timeout = None,
    pack: Pack = None,
    detach: Detach = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Do again what failed or was lost in a sweep, and what was never begun."""
    from mmulbench.defaults import sweeps_dir as folder
    from mmulbench.sweeps import commands

    if failed and only_missing:
        raise UsageError("--failed and --only-missing leave nothing to do: without both, retry does both")
    wanted = _executor_options(executor, workers, timeout, detach, pack, slurm)
    only: commands.RetryScope | None = "failed" if failed else "missing" if only_missing else None
    code = commands.retry(folder(sweeps_dir), sweep, wanted, only=only, as_json=as_json, debug=debug)
    raise typer.Exit(code)


def cancel(sweep: SweepName = None, sweeps_dir: SweepsDir = None, debug: Debug = False) -> None:
    """Let a sweep start nothing more; what runs ends as it would."""
    from mmulbench.defaults import sweeps_dir as folder
    from mmulbench.sweeps import status_commands

    status_commands.cancel(folder(sweeps_dir), sweep)


def _executor_options(
    executor: ExecutorName | None,
    workers: int | None,
    timeout: float | None,
    detach: bool,
    pack: str | None,
    slurm: Sequence[str] | None,
) -> ExecutorOptions:
    from mmulbench.sweeps.choose_executor import ExecutorOptions

    return ExecutorOptions(
        name=executor, workers=workers, timeout=timeout, detach=detach, pack=pack, slurm=tuple(slurm or ())
    )


def submit_run(request: Request, executor: str, slurm: Sequence[str], *, as_json: bool) -> int:
    """Start a sweep of the runs that ``mmulbench run --executor slurm`` names.

    Args:
        request: options of the runs.
        executor: name of the executor.
        slurm: ``key=value`` options of ``sbatch``.
        as_json: whether to print JSON.

    Returns:
        The exit code.

    Raises:
        UsageError: A name or a value is wrong.
    """
    from mmulbench.defaults import sweeps_dir
    from mmulbench.sweeps import commands
    from mmulbench.sweeps.choose_executor import ExecutorOptions, choose_executor
    from mmulbench.sweeps.grid import checked_grid

    chosen = choose_executor(ExecutorOptions(name=executor, slurm=tuple(slurm)), {})
    given = {
        "task": request.task,
        "method": list(request.methods),
        "seed": list(request.seeds),
        "backbone": request.backbone or (),
        "forget_size": request.forget_size or (),
        "forget": request.forget or (),
        "forget_where": list(request.forget_where),
        "set": list(request.settings),
    }
    command = shlex.join(["mmulbench", *sys.argv[1:]])
    grid, folder = checked_grid(given, "run"), sweeps_dir(None)
    return commands.sweep(
        grid, request.run_options(), folder, chosen, command, dry_run=False, as_json=as_json
    )
