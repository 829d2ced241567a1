"""Make the steps of a sweep in this process, one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mmulbench.errors import MmulbenchError
from mmulbench.files import prepare_folder, write_atomically
from mmulbench.progress import Progress
from mmulbench.records.environment import describe_environment
from mmulbench.records.schema import RunResult
from mmulbench.runs.open_task import Checked, Opened, check, open_task
from mmulbench.runs.pipeline import Run, execute, is_settled, shadows_of
from mmulbench.runs.references import load_original, load_retrain
from mmulbench.runs.session import Request, configured, plan_run, results_output
from mmulbench.runs.shadow_models import shadow_seed
from mmulbench.runs.unlearn import make_problem
from mmulbench.sweeps.folder import SWEEPS_FLAG
from mmulbench.sweeps.grid import Job
from mmulbench.sweeps.killed_step import store_failure
from mmulbench.sweeps.options import request_of
from mmulbench.sweeps.plan import Step, shared_settings
from mmulbench.sweeps.worker import StepOutcome


class Runner:
    """Makes steps; keeps the data of the last task, since steps of one task follow each other.

    Args:
        options: options that all runs share; its task, methods and seeds do not count.
        progress: what is told of stages and notes.
    """

    def __init__(self, options: Request, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._key: object = None
        self._opened: Opened | None = None

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
        request = request_of(step.job, self._options)
        if again and request.overwrite == "never":
            request = request.model_copy(update={"overwrite": "failed"})
        checked = check(request)
        if step.kind == "run":
            # Before hours are spent on a record that has no place.
            prepare_folder(*results_output(request))
            return self._run(step.job, request, checked, planned, blocked)
        if blocked is not None:
            raise MmulbenchError(blocked)
        opened = self._open(step.job, request, checked)
        if step.kind == "shadow":
            self._unlearn_shadow(step, request, checked, opened)
        else:
            _train(step, opened)
        return StepOutcome()

    def _unlearn_shadow(self, step: Step, request: Request, checked: Checked, opened: Opened) -> None:
        """Let a run's method unlearn a shadow model, unless the run has its record or would not use it."""
        job, workspace = step.job, opened.workspace
        run = plan_run(job.method, configured(job.method, request, checked), job.seed, request, opened)
        found = workspace.store.find(run.spec)
        settled = found is not None and is_settled(found, run, request.overwrite)
        if not settled and run.method.applies_to(opened.prepared.task) is None:
            shadows_of(run, opened.prepared, workspace).unlearned(step.shadow, run.method, run.spec.run_id)

    def _run(
        self, job: Job, request: Request, checked: Checked, planned: Path, blocked: str | None
    ) -> StepOutcome:
        opened = self._open(job, request, checked)
        run = plan_run(job.method, configured(job.method, request, checked), job.seed, request, opened)
        store = opened.workspace.store
        failure = failed_record(run, opened, blocked or "was ended")
        if blocked is not None:
            record = store_failure(store, failure, always=request.overwrite == "always")
        else:
            write_atomically(planned, failure.model_dump_json(), SWEEPS_FLAG)
            record, _ = execute(run, opened.prepared, opened.workspace, request.overwrite)
        return StepOutcome(record, store.path(run.spec))

    def _open(self, job: Job, request: Request, checked: Checked) -> Opened:
        key = (job.task, job.backbone, shared_settings(job))
        if self._opened is None or key != self._key:
            self._opened = None  # lets go of the last task's data before the next is read
            self._opened = open_task(request, checked, results_output(request), self._progress)
            self._key = key
        size = checked.task.forget_size(self._opened.prepared.data, checked.forget_size)
        return replace(self._opened, size=size)


def _train(step: Step, opened: Opened) -> None:
    """Train an original or a retrain, of a run or of a shadow model."""
    prepared, workspace = opened.prepared, opened.workspace
    seed = shadow_seed(step.shadow) if step.shadow else step.job.seed
    original, _ = load_original(prepared, seed, workspace)
    if step.kind == "retrain":
        forget = prepared.task.forget_units(prepared.data, opened.size, step.job.seed)
        problem = make_problem(original, forget, prepared, seed, workspace)
        load_retrain(prepared, problem, forget, seed, workspace)


def failed_record(run: Run, opened: Opened, reason: str) -> RunResult:
    """Return the record of a run that failed as it began.

    Args:
        run: the run.
        opened: its task, with its data in memory.
        reason: why it failed.
    """
    now = datetime.now(UTC)
    return RunResult(
        run_id=run.spec.run_id,
        spec=run.spec,
        status="failed",
        reason=reason,
        command=run.command,
        tuning=run.tuning,
        environment=describe_environment(opened.workspace.device),
        started=now,
        finished=now,
    )
