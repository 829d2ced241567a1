"""Make the steps of a sweep in this process, one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mmulbench.errors import MmulbenchError
from mmulbench.files import prepare_folder, write_atomically
from mmulbench.loggers.logged import with_loggers
from mmulbench.progress import STAGES, Progress
from mmulbench.records.schema import RunResult
from mmulbench.runs.open_task import ResolvedRequest, choose_forget_set, open_task, resolve
from mmulbench.runs.outcome import Outcome
from mmulbench.runs.pipeline import Run, StoredRecord, execute, is_settled, make_record
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.request import RunOptions
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.session import plan_run, results_output
from mmulbench.runs.settings_notes import settings_notes
from mmulbench.runs.shadow_models import Shadows, shadow_seed
from mmulbench.sweeps.folder import SWEEPS_FLAG
from mmulbench.sweeps.grid import Job
from mmulbench.sweeps.kept_models import KeptModels
from mmulbench.sweeps.killed_step import KEPT, store_failure
from mmulbench.sweeps.plan import Step, shared_settings
from mmulbench.sweeps.worker import StepOutcome


class Runner:
    """Makes steps; keeps the data of the last task, since steps of one task follow each other.

    Args:
        options: options that all runs share.
        progress: what is told of stages and notes.
    """

    def __init__(self, options: RunOptions, progress: Progress) -> None:
        self._options = options
        self._progress = with_loggers(progress, options.loggers, options.logger_dir)
        self._key: object = None
        self._prepared: PreparedTask | None = None

    def make(self, step: Step, planned: Path, *, again: bool, blocked: str | None) -> StepOutcome:
        """Make a step.

        Args:
            step: the step.
            planned: file for the record that a run gets if its worker is killed.
            again: whether the step was begun before; a run that failed then is made again whatever
                ``overwrite`` says.
            blocked: reason why the step cannot be made, so that only its record is to be written.

        Raises:
            MmulbenchError: A folder cannot be written, data is damaged, or training diverges.
        """
        options = self._options
        if again and options.overwrite == "never":
            options = options.model_copy(update={"overwrite": "failed"})
        resolved = resolve(step.job, options, tuned=not options.untuned)
        if step.kind == "run":
            for line in settings_notes(resolved):
                self._progress.note(line)
            # Before hours are spent on a record that has no place.
            prepare_folder(*results_output(options))
            return self._run(step.job, options, resolved, planned, blocked)
        if blocked is not None:
            raise MmulbenchError(blocked)
        prepared = self._open(step.job, options, resolved)
        if step.kind == "shadow":
            self._unlearn_shadow(step, options, resolved, prepared)
        else:
            self._train(step, resolved, prepared)
        return StepOutcome()

    def _train(self, step: Step, resolved: ResolvedRequest, prepared: PreparedTask) -> None:
        """Train a model; loggers have a log for one that runs share, but for none of a shadow model."""
        reference = self._options.reference
        if not self._options.loggers or step.shadow or step.kind not in STAGES:
            _train(step, resolved, prepared, reference=reference)
            return
        job = step.job
        name = f"{job.task}-{step.kind}-{job.seed}-{step.step_id}"
        self._progress.begin(name, job.model_dump(mode="json", exclude={"method"}))
        self._progress.stage(step.kind)
        _train(step, resolved, prepared, reference=reference)
        self._progress.end("done", {})

    def _unlearn_shadow(
        self, step: Step, options: RunOptions, resolved: ResolvedRequest, prepared: PreparedTask
    ) -> None:
        """Let a run's method unlearn a shadow model, unless the run has its record or would not use it."""
        run = plan_run(step.job.method, step.job.seed, options, resolved, prepared)
        found = prepared.workspace.store.find(run.spec)
        settled = found is not None and is_settled(found, run, options.overwrite)
        if not settled and run.method.applies_to(prepared.task) is None:
            Shadows(run.scenario(prepared)).unlearned(step.shadow, run.method, run.spec.run_id)

    def _run(
        self, job: Job, options: RunOptions, resolved: ResolvedRequest, planned: Path, blocked: str | None
    ) -> StepOutcome:
        prepared = self._open(job, options, resolved)
        run = plan_run(job.method, job.seed, options, resolved, prepared)
        store = prepared.workspace.store
        outcome = Outcome("failed", blocked or "was ended")
        failure = make_record(run, outcome, prepared.workspace, datetime.now(UTC))
        if blocked is not None:
            found = store.find(run.spec)
            settled = found is not None and is_settled(found, run, options.overwrite)
            record = found if found is not None and settled else store_failure(store, failure)
        else:
            write_atomically(planned, failure.model_dump_json(), SWEEPS_FLAG)
            record = _as_step(_executed(run, options, prepared))
        return StepOutcome(record, store.path(run.spec))

    def _open(self, job: Job, options: RunOptions, resolved: ResolvedRequest) -> PreparedTask:
        key = (job.task, job.backbone, shared_settings(job))
        if self._prepared is None or key != self._key:
            self._prepared = None  # lets go of the last task's data before the next is read
            self._prepared = open_task(options, resolved, results_output(options), self._progress)
            self._key = key
        return self._prepared


def _executed(run: Run, options: RunOptions, prepared: PreparedTask) -> StoredRecord:
    """Make a run, and keep its model where the sweep does."""
    if options.save_models is None:
        return execute(run, prepared, options.overwrite)
    kept = KeptModels(options.save_models, best=options.keep == "best")
    stored = execute(replace(run, keep=kept.wants(run.spec)), prepared, options.overwrite)
    kept.deliver(stored, prepared)
    return stored


def _as_step(stored: StoredRecord) -> RunResult:
    """Return what came of a run; a try that left an earlier record in its place has failed."""
    result = stored.result
    if stored.kept is None:
        return result
    return result.model_copy(
        update={"status": "failed", "reason": f"{result.status}: {result.reason}; {KEPT}"}
    )


def _train(step: Step, resolved: ResolvedRequest, prepared: PreparedTask, *, reference: bool) -> None:
    """Train an original, a retrain or a second retrain, of a run or of a shadow model.

    Args:
        step: the step.
        resolved: what the names of its run stand for.
        prepared: the task with data in memory.
        reference: whether runs are compared with retrain; no original is trained where they cannot be.

    Raises:
        MmulbenchError: The initial weights have seen the forget set, or training diverges.
    """
    forget = choose_forget_set(resolved, prepared.data, step.job.seed).forget
    if step.kind == "second_retrain":
        Shadows(Scenario(prepared, forget, step.job.seed)).second_retrain(step.shadow)
        return
    seed = shadow_seed(step.shadow) if step.shadow else step.job.seed
    scenario = Scenario(prepared, forget, seed)
    if reference:
        _ = scenario.start
    scenario.original()
    if step.kind == "retrain":
        scenario.retrain()
