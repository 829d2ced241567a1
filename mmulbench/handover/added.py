"""Add the values of further metrics to a record, and rewrite its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmulbench.core.plugins import load_plugins, plugin_of
from mmulbench.core.registry import METRICS
from mmulbench.core.reproduce import circumstances_of
from mmulbench.core.run_code import changed_code
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.exports.facts import FACTS
from mmulbench.exports.read import GivenModel, open_model
from mmulbench.handover.again import request_of
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.records.store import read_record, rewrite
from mmulbench.runs.added_values import RecordedRun, record_with
from mmulbench.runs.further_metrics import Further, further
from mmulbench.runs.open_task import Output, ResolvedRequest, choose_forget_set, open_task, resolve
from mmulbench.runs.outside import Outside
from mmulbench.runs.pipeline import Run, StoredRecord
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.request import Request, RunOptions
from mmulbench.runs.run_spec import make_spec
from mmulbench.runs.session import check_shadows
from mmulbench.validity.record import reason_to_leave_out


@dataclass(frozen=True)
class Asked:
    """Says what is to be added to a record.

    Attributes:
        metrics: names of the metrics.
        shadows: number of shadow models; 0 for as many as the record rests on.
        model: place of the unlearned model; None has it found in the cache by its weights, or made again.
        forget: list of what was forgotten, where the record names one by its digest.
    """

    metrics: tuple[str, ...]
    shadows: int = 0
    model: str | None = None
    forget: str | None = None


def add_values(place: Path, options: RunOptions, asked: Asked, progress: Progress) -> StoredRecord:
    """Compute further metrics of a record's models, and write them into the record.

    What the record has stays bit for bit, its id too. The file is replaced whole, or stays as it was.

    Args:
        place: file of the record.
        options: where things are: device, folders.
        asked: what is to be added.
        progress: shows bars and notes.

    Returns:
        The record, which is new where something was added.

    Raises:
        UsageError: A metric is unknown, the record lacks what it needs, or today's data, list, code or models
            are not those of the record.
        NotApplicable: A metric has no value of these models.
        MmulbenchError: The record does not hold, or cannot be written.
    """
    record = _sound(place)
    request = request_of(record, options, asked.forget).model_copy(update={"results_dir": place.parent})
    load_plugins(request.plugins)
    _refuse_what_has_no_file(asked)
    wanted = further(record, asked.metrics, asked.shadows)
    if wanted.there:
        progress.note(f"record {record.run_id} has {', '.join(wanted.there)} already: kept as it is")
    if not wanted.metrics:
        return StoredRecord(record, place, is_new=False)
    request = request.model_copy(update={"shadows": wanted.shadows})
    check_shadows(request)
    saved = _saved(record, asked)
    resolved = resolve(request, request, tuned=False)
    with progress:
        output = Output(request.results_dir, "results", "--results-dir")
        prepared = open_task(request, resolved, output, progress)
        progress.plan([record.spec.seed], shadows=bool(wanted.shadows))
        progress.run(f"{', '.join(wanted.names)} of {record.spec.method}, seed {record.spec.seed}")
        run = _run_again(record, request, resolved, prepared)
        with prepared.workspace.cache.lock(f"run-{record.run_id}", "changing the same record"):
            return _written(place, RecordedRun(record, run, prepared, saved), wanted, asked)


def _written(place: Path, recorded: RecordedRun, wanted: Further, asked: Asked) -> StoredRecord:
    """Compute, and rewrite the file; what another process wrote meanwhile stays in it.

    Raises:
        MmulbenchError: The record would not hold with what was computed.
    """
    again = _sound(place)
    if again != recorded.record:
        wanted = further(again, asked.metrics, asked.shadows)
        if not wanted.metrics:
            return StoredRecord(again, place, is_new=False)
    recorded = RecordedRun(again, recorded.run, recorded.prepared, recorded.saved)
    found = record_with(recorded, wanted)
    if (reason := reason_to_leave_out(found)) is not None:
        raise MmulbenchError(
            f"{place} stays as it is: with {', '.join(wanted.names)} it would not hold: {reason}"
        )
    rewrite(place, found)
    return StoredRecord(found, place, is_new=True)


def _sound(place: Path) -> RunResult:
    """Read a record that holds together.

    Raises:
        UsageError: There is none, or a model lies there.
        MmulbenchError: It does not hold.
    """
    if place.is_dir() or place.name == FACTS:
        raise UsageError(f"{place} is a model, not a record: --name and --task judge a model")
    record = read_record(place)
    if (reason := reason_to_leave_out(record)) is not None:
        raise MmulbenchError(f"nothing is added to a record that does not hold: {place}: {reason}")
    return record


def _refuse_what_has_no_file(asked: Asked) -> None:
    """Refuse metrics that were typed into a session: no record could name their code.

    Raises:
        UsageError: One was.
    """
    for name in asked.metrics:
        if name in METRICS.by_hand() and plugin_of("metric", name) is None:
            raise UsageError(
                f"the metric {name!r} was registered in this session and has no file, so that the record "
                "could not say what code it is: write it to a file and give that as a plug-in"
            )


def _saved(record: RunResult, asked: Asked) -> GivenModel | None:
    """Return the unlearned model, where its place is known.

    Raises:
        UsageError: It cannot be read.
    """
    place = asked.model
    if place is None and "unlearned" in record.spec.given:
        known = circumstances_of(record).models.get("--unlearned", "")
        place = known if known and Path(known.rpartition("@")[0]).exists() else None
    return None if place is None else open_model(place)


def _run_again(record: RunResult, request: Request, resolved: ResolvedRequest, prepared: PreparedTask) -> Run:
    """Return the run of a record.

    Raises:
        UsageError: Today's data, list, models, versions or code are not those of the record.
    """
    spec = record.spec
    method = resolved.methods[spec.method] if resolved.methods else Outside()
    forget, named, *_ = choose_forget_set(resolved, prepared.data, spec.seed)
    size = prepared.task.units_among(prepared.data, forget.units)
    today = make_spec(prepared, spec.method, method, size, spec.seed, named)
    # The file of a metric that is added now is no part of what was run.
    plugins = {name: digest for name, digest in today.plugins.items() if name in spec.plugins}
    given = {name: spec.given[name] for name in ("unlearned",) if name in spec.given}
    today = today.model_copy(update={"plugins": plugins, "given": {**today.given, **given}})
    if today.run_id != record.run_id:
        raise UsageError(
            f"today's data, list, models or versions make the run {today.run_id}, not {record.run_id}"
        )
    run = Run(
        spec=spec,
        method=method,
        command=record.command,
        reference=request.reference,
        forget=forget if named is not None else None,
    )
    changed = [kind for kind in changed_code(record.code, run.code) if not kind.startswith("metric ")]
    if changed:
        raise UsageError(
            f"record {record.run_id} was made by other code of {' and '.join(changed)} than today's: values "
            "of both cannot stand in one record; run it again"
        )
    return run
