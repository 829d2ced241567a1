"""Make the runs of a request: resolve the request whole, then make each run and hand over each record."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace

from mmulbench import processes
from mmulbench.core.method import Method
from mmulbench.core.plugins import plugins_of_run
from mmulbench.core.reproduce import Circumstances, OwnSettings, reproducing_command
from mmulbench.errors import UsageError
from mmulbench.loggers.logged import with_loggers
from mmulbench.metrics.populations import FEWEST
from mmulbench.progress import Progress
from mmulbench.records.folders import unusual
from mmulbench.records.schema import RunSpec
from mmulbench.records.store import RESULTS_FLAG
from mmulbench.runs.open_task import Output, ResolvedRequest, choose_forget_set, open_task, resolve
from mmulbench.runs.pipeline import Run, StoredRecord, execute
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.request import Request, RunOptions
from mmulbench.runs.run_spec import make_spec
from mmulbench.runs.settings_notes import settings_notes

Deliver = Callable[[StoredRecord, PreparedTask], None]
"""Takes over the model of a run, beside its record."""


def run_session(
    request: Request,
    progress: Progress,
    deliver: Deliver | None = None,
    *,
    expected: str = "",
) -> Iterator[StoredRecord]:
    """Make all runs of a request, every seed with every method, and yield each record as soon as it is there.

    Args:
        request: the options.
        progress: shows bars and notes, from the first record that is asked for to the last.
        deliver: is given each run's record with its model, and the task; None where nobody wants models.
        expected: id that the only run must have; empty for any.

    Raises:
        UsageError: The use is wrong; nothing is computed then.
        MmulbenchError: A folder cannot be written, or data is damaged.
    """
    if any(seed < 0 for seed in request.seeds):
        raise UsageError(f"--seed {min(request.seeds)} is negative; allowed: 0 and above")
    check_shadows(request)
    progress = with_loggers(progress, request.loggers, request.logger_dir, writes=processes.is_first())
    resolved = resolve(request, request, tuned=not request.untuned)
    with progress:
        prepared = open_task(request, resolved, results_output(request), progress)
        for line in (*settings_notes(resolved), *_forget_note(resolved, prepared)):
            progress.note(line)
        planned = list(itertools.product(dict.fromkeys(request.seeds), resolved.methods))
        progress.plan([seed for seed, _ in planned], shadows=bool(request.shadows))
        for seed, name in planned:
            progress.run(f"{name}, seed {seed}")
            run = plan_run(name, seed, request, resolved, prepared)
            if expected and run.spec.run_id != expected:
                raise UsageError(
                    f"today's data, list, models or versions make the run {run.spec.run_id}, not {expected}"
                )
            stored = execute(replace(run, keep=deliver is not None), prepared, request.overwrite)
            if deliver is not None:
                deliver(stored, prepared)
                stored = replace(stored, model=None)
            yield stored


def _forget_note(resolved: ResolvedRequest, prepared: PreparedTask) -> Iterator[str]:
    """Say how much is forgotten, where a list or conditions say what."""
    if resolved.forget is not None:
        forget, named, *_ = choose_forget_set(resolved, prepared.data, seed=0)
        task, data = prepared.task, prepared.data
        pairs, units = len(forget.forgotten(data.train)), task.units_among(data, forget.units)
        what = "units with all their" if named is not None and named.level == "units" else "units that stay:"
        yield (
            f"forgets {units:,} {what} {pairs:,} pairs, of {len(data.train):,} pairs of "
            f"{task.unit_count(data):,} units"
        )


def check_shadows(request: RunOptions) -> None:
    """Check that what is asked of shadow models can be had.

    Raises:
        UsageError: There are too few, or nothing to compare them with.
    """
    fewest = FEWEST - 1  # besides the run's own models
    if request.shadows and request.shadows < fewest:
        raise UsageError(f"--shadows {request.shadows} is too few to know a spread from: at least {fewest}")
    if request.shadows and not request.reference:
        raise UsageError("--shadows compares with retrained models: leave out --no-reference")


def results_output(request: RunOptions) -> Output:
    """Return where the records of a request go."""
    return Output(request.results_dir, "results", RESULTS_FLAG)


def plan_run(
    name: str, seed: int, options: RunOptions, resolved: ResolvedRequest, prepared: PreparedTask
) -> Run:
    """Return one run of a request, ready to be executed.

    Args:
        name: name of the method, one of the request's.
        seed: training seed.
        options: says whether there is a reference, how many shadow models, and what is kept.
        resolved: what the names of the request stand for.
        prepared: the task with data in memory.
    """
    method = resolved.methods[name]
    forget, named, ids, _ = choose_forget_set(resolved, prepared.data, seed)
    size = prepared.task.units_among(prepared.data, forget.units)
    spec = make_spec(prepared, name, method, size, seed, named)
    return Run(
        spec=spec,
        method=method,
        command=command_of_run(spec, method, prepared, options),
        reference=options.reference,
        tuning=resolved.tunings.get(name),
        origins=resolved.origins[name],
        shadows=options.shadows,
        units=options.units,
        forget=forget if named is not None else None,
        forget_ids=ids if options.record_ids else (),
        folders=unusual({"--data-dir": options.data_dir, "--cache-dir": options.cache_dir}),
        revisions=prepared.given.revisions,
    )


def command_of_run(
    spec: RunSpec,
    method: Method,
    prepared: PreparedTask,
    options: RunOptions,
    outside: Mapping[str, str] | None = None,
) -> str:
    """Return the command line that makes a run again.

    Args:
        spec: specification of the run.
        method: the configured method.
        prepared: task and backbone.
        options: says whether there is a reference, and how many shadow models.
        outside: place and digest of a model that was made elsewhere, by ``unlearned``.
    """
    task, backbone = prepared.task, prepared.backbone
    own = OwnSettings(asdict(type(task).Config()), asdict(task.recipe), asdict(type(method).Config()))
    plugins = plugins_of_run(spec.method, spec.task, backbone.name).values()
    files = sorted({str(plugin.path) for plugin in plugins})
    models = {"--retrain-from": backbone.argument, **prepared.given.arguments}
    models |= {f"--{name}": place for name, place in (outside or {}).items()}
    around = Circumstances(backbone.argument, files, options.reference, models, options.shadows)
    return reproducing_command(spec, own, around)
