"""One run: original, retrain, unlearning, evaluation, record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from mmulbench import processes
from mmulbench.core.checkpoints import StoredCheckpoints
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.method import Method
from mmulbench.core.model import MultimodalModel
from mmulbench.core.run_code import changed_code, code_of_run
from mmulbench.errors import Diverged, MmulbenchError, NotApplicable
from mmulbench.evaluation.untaught import untaught_paths
from mmulbench.failure import frames_of, located
from mmulbench.progress import SHADOWS, Progress
from mmulbench.records.environment import describe_environment
from mmulbench.records.published import MINIMUM_UNITS
from mmulbench.records.schema import RunResult, RunSpec, Tuning
from mmulbench.records.store import folder_of_method
from mmulbench.records.unit_files import digest_of
from mmulbench.runs.outcome import Outcome, evaluate
from mmulbench.runs.prepare import PreparedTask, Workspace
from mmulbench.runs.references import Trained, weights_digest
from mmulbench.runs.request import Overwrite
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.shadow_models import RunModels, Shadows, judged_by_shadows
from mmulbench.runs.unlearn import unlearn
from mmulbench.validity.record import has_own_command, reason_to_make_again


@dataclass(frozen=True)
class Run:
    """Describes one run to make.

    Attributes:
        spec: everything that decides the run's numbers.
        method: the configured method.
        command: command line that reproduces the run.
        reference: whether retrain is built and compared with.
        tuning: study that the method's settings come from.
        origins: where each setting comes from.
        shadows: number of shadow models that the run is judged by besides.
        units: whether scores by unit are kept beside the record.
        forget: forget set that a list names; None where the task draws it.
        forget_ids: ids of that list that the record is to hold.
        folders: folders that are not the default ones, by option.
        revisions: repository and commit of models that were given from a hub, by name.
        keep: whether the unlearned model is handed over beside the record.
        unlearned: model that was made elsewhere, and is judged; None where the method makes it.
    """

    spec: RunSpec
    method: Method
    command: str
    reference: bool = True
    tuning: Tuning | None = None
    origins: dict[str, str] = field(default_factory=dict)
    shadows: int = 0
    units: bool = False
    forget: ForgetSet | None = None
    forget_ids: tuple[str, ...] = ()
    folders: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    keep: bool = False
    unlearned: Trained | None = None

    @cached_property
    def code(self) -> dict[str, str]:
        """Digests of today's code of method, task and backbone."""
        found = code_of_run(type(self.method).__module__, self.spec.task, self.spec.backbone)
        return found if self.unlearned is None else {k: v for k, v in found.items() if k != "method"}

    def scenario(self, prepared: PreparedTask) -> Scenario:
        """Return the forget set and seed of the run, with the models that belong to them."""
        spec, forget = self.spec, self.forget
        if forget is None:
            forget = ForgetSet(prepared.task.forget_units(prepared.data, spec.forget_size, spec.seed))
        return Scenario(prepared, forget, spec.seed)


@dataclass(frozen=True)
class StoredRecord:
    """Holds a record of the results store.

    Attributes:
        result: what came of the run: the record, unless ``kept`` is.
        path: file of the record.
        is_new: whether the run was made now; otherwise its record was found.
        kept: done record of an earlier try, which stays in the file since this try is not done.
        model: the unlearned model, where it was to be kept and there is one.
    """

    result: RunResult
    path: Path
    is_new: bool
    kept: RunResult | None = None
    model: MultimodalModel | None = None

    @property
    def is_well(self) -> bool:
        """Whether the run ended as it should: with numbers, or with a reason why there can be none."""
        return self.result.status in ("done", "not_applicable") and self.kept is None


def make_record(run: Run, outcome: Outcome, workspace: Workspace, started: datetime) -> RunResult:
    """Return the record of a run that ends now.

    Args:
        run: the run.
        outcome: what came of it.
        workspace: where it was made.
        started: when it began.
    """
    return RunResult(
        run_id=run.spec.run_id,
        spec=run.spec,
        status=outcome.status,
        reason=outcome.reason,
        trace=outcome.trace,
        values=outcome.values,
        cost=outcome.cost,
        histograms=outcome.histograms,
        by_unit=outcome.by_unit,
        units=None if outcome.units is None else digest_of(outcome.units),
        weights=outcome.weights,
        tuning=run.tuning,
        forget_ids=run.forget_ids,
        origins=run.origins,
        shadows=outcome.shadows,
        start=outcome.start,
        missing=outcome.missing,
        code=run.code,
        command=run.command,
        folders=run.folders,
        revisions=run.revisions,
        environment=describe_environment(workspace.device),
        models=outcome.models,
        started=started,
        finished=datetime.now(UTC),
    )


def is_settled(found: RunResult, run: Run, overwrite: Overwrite) -> bool:
    """Say whether a record that is already there makes a run unnecessary.

    Args:
        found: record of the same specification.
        run: the run.
        overwrite: which records are made again.
    """
    if overwrite == "always":
        return False
    if overwrite == "never":
        return True
    if _useless(found, run) is not None:
        return False
    complete = not run.reference or all(
        value.retrain is not None or value.value is None for value in found.values.values()
    )
    if found.status == "done" and found.shadows < run.shadows:
        return False
    return found.status in ("done", "not_applicable") and complete


def execute(run: Run, prepared: PreparedTask, overwrite: Overwrite) -> StoredRecord:
    """Make a run and record it, or find its record.

    A failing or diverging run is recorded with its reason, unless the record of an earlier try is done, which
    then stays. Of several processes with the same specification one runs and the others find its record.

    Args:
        run: the run.
        prepared: its task with data in memory.
        overwrite: which records are made again.

    Raises:
        MmulbenchError: A folder cannot be written, or a package is missing.
    """
    workspace, path = prepared.workspace, prepared.workspace.store.path(run.spec)
    with workspace.cache.lock(f"run-{run.spec.run_id}", "making the same run"):
        found = processes.first_does(lambda: _settled(run, workspace, overwrite))
        if found is not None:
            _checkpoints(run, workspace).clear()  # of who was killed between the record and this
            model = model_again(run, prepared, found) if run.keep and found.status == "done" else None
            return StoredRecord(found, path, is_new=False, model=model)
        processes.first_does(lambda: workspace.store.demand_place(run.spec))
        started = datetime.now(UTC)
        workspace.progress.begin(name_of_run(run.spec), run.spec.model_dump(mode="json"))
        outcome = _attempt(run, prepared)
        result = make_record(run, outcome, workspace, started)
        kept = processes.first_does(lambda: workspace.store.write_unless_worse(result, outcome.units))
        if kept is not None:
            said = f"this try: {result.status}, {result.reason}"
            workspace.progress.note(f"{path} is done and stays as it was; {said}")
        workspace.progress.end(result.status, numbers_of(result))
        _checkpoints(run, workspace).clear()
        if run.shadows:
            Shadows(run.scenario(prepared)).discard(run.shadows, run.method, run.spec.run_id)
        return StoredRecord(result, path, is_new=True, kept=kept, model=outcome.model if run.keep else None)


def name_of_run(spec: RunSpec) -> str:
    """Name a run so that people know it and no other has the name.

    Args:
        spec: what the run is.
    """
    return f"{spec.task}-{folder_of_method(spec.method)}-{spec.seed}-{spec.run_id}"


def numbers_of(result: RunResult) -> dict[str, float]:
    """Return the values of a record, and its costs as ``cost/<field>``, without those that are null."""
    cost = {} if result.cost is None else result.cost.model_dump()
    found = {name: value.value for name, value in result.values.items()}
    found |= {f"cost/{name}": number for name, number in cost.items()}
    return {name: number for name, number in found.items() if number is not None}


def model_again(run: Run, prepared: PreparedTask, found: RunResult) -> MultimodalModel:
    """Make the unlearned model of a recorded run again; the record stays as it is.

    Args:
        run: the run.
        prepared: its task with data in memory.
        found: its record.

    Raises:
        Diverged: It diverges on this machine.
    """
    scenario, progress = run.scenario(prepared), prepared.workspace.progress
    with _stage(progress, "unlearn"):
        if run.unlearned is not None:
            model = run.unlearned.model
        elif run.method.is_reference:
            model = scenario.retrain().model
        else:
            model = unlearn(
                run.method, scenario.problem(checkpoints=_checkpoints(run, prepared.workspace))
            ).model
    _checkpoints(run, prepared.workspace).clear()
    if found.weights is not None and weights_digest(model) != found.weights:
        progress.note(
            f"the model of record {found.run_id} was made again, and its weights are not bit for bit those "
            f"of the record: that one was made on {found.environment.cpu or found.environment.device}"
        )
    return model


def _settled(run: Run, workspace: Workspace, overwrite: Overwrite) -> RunResult | None:
    """Return the record that makes the run unnecessary, where there is one."""
    found = workspace.store.find(run.spec)
    if found is None or not is_settled(found, run, overwrite):
        if found is not None and (reason := _useless(found, run)):
            workspace.progress.note(f"record {run.spec.run_id} {reason}: it is made again")
        return None
    update: dict[str, object] = {}
    if _comes_from_study(run, found):
        update |= {"tuning": run.tuning, "origins": run.origins}
    if found.command != run.command and not has_own_command(found):
        update |= {"command": run.command}
    if update:
        found = found.model_copy(update=update)
        workspace.store.write(found)
    return found


def _useless(found: RunResult, run: Run) -> str | None:
    """Say what is wrong with a record whatever is asked for; None where nothing is."""
    if kinds := changed_code(found.code, run.code):
        return f"was made by other code of {' and '.join(kinds)}"
    if found.has_unchecked_reference:
        return "compares with a retrain whose initial weights were not checked for the forget set"
    reason = reason_to_make_again(found)
    return None if reason is None else f"does not hold ({reason})"


def _comes_from_study(run: Run, found: RunResult) -> bool:
    """Return whether a study came to the settings of a record that does not say so yet."""
    if run.tuning is None or run.tuning == found.tuning:
        return False
    return found.tuning is None or not run.tuning.overridden


def _checkpoints(run: Run, workspace: Workspace) -> StoredCheckpoints:
    """Return the checkpoints of a run's own trainings; the original and retrain have theirs."""
    return workspace.checkpoints({"kind": "run", "run": run.spec.run_id, "code": run.code})


def _attempt(run: Run, prepared: PreparedTask) -> Outcome:
    reason = run.method.applies_to(prepared.task)
    if reason is not None:
        return Outcome("not_applicable", reason)
    try:
        return _run(run, prepared)
    except Diverged as error:
        prepared.workspace.progress.failure(error)
        return Outcome("diverged", str(error))
    except NotApplicable as error:
        return Outcome("not_applicable", str(error))
    except MmulbenchError:
        raise
    except Exception as error:
        reason = located(error)
        processes.demand_all_failed(reason)
        prepared.workspace.progress.failure(error)
        return Outcome("failed", reason, frames_of(error))


def _run(run: Run, prepared: PreparedTask) -> Outcome:
    scenario, workspace = run.scenario(prepared), prepared.workspace
    retrain: Trained | None = None
    with _stage(workspace.progress, "original"):
        # First of all, so that no original is trained in vain.
        start = scenario.start if _needs_start(run) else None
        original = scenario.original().model
        _note_untaught(scenario, original)
    if run.reference or run.method.is_reference:
        with _stage(workspace.progress, "retrain"):
            retrain = scenario.retrain()
    with _stage(workspace.progress, "unlearn"):
        if run.method.is_reference and retrain is not None:
            unlearned = retrain
        elif run.unlearned is not None:
            unlearned = run.unlearned
        else:
            problem = scenario.problem(checkpoints=_checkpoints(run, workspace))
            unlearned = unlearn(run.method, problem)
    with _stage(workspace.progress, "evaluate"):
        outcome = evaluate(scenario, unlearned, retrain if run.reference else None, units=run.units)
    outcome = replace(outcome, start=start)
    if not run.shadows or retrain is None:
        return outcome
    with _stage(workspace.progress, SHADOWS):
        own = RunModels(unlearned.model, original, retrain.model)
        values, missing = judged_by_shadows(Shadows(scenario), run.shadows, own, run.method, run.spec.run_id)
    return replace(
        outcome,
        values={**outcome.values, **values},
        missing=[*outcome.missing, *missing],
        shadows=run.shadows,
    )


def _note_untaught(scenario: Scenario, original: MultimodalModel) -> None:
    """Say on which paths there is nothing to forget, before anything is trained to be compared with."""
    if len(scenario.forget) < MINIMUM_UNITS:
        return
    for one in untaught_paths(scenario.measure(original, scenario.sets)):
        scenario.prepared.workspace.progress.note(
            f"{one}; numbers of this path say nothing of forgetting. See to the original's training "
            "(its epochs, its learning rate)"
        )


def _needs_start(run: Run) -> bool:
    """Return whether a run compares with a model that is retrained, or is one itself."""
    return run.reference or run.method.is_reference or run.method.is_noise_floor


@contextlib.contextmanager
def _stage(progress: Progress, name: str) -> Iterator[None]:
    """Show a stage, and name it when the run diverges in it.

    Raises:
        Diverged: The body did; the text begins with the stage.
    """
    progress.stage(name)
    try:
        yield
    except Diverged as error:
        raise Diverged(f"{name}: {error}") from error
