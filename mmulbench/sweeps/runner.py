"""Making the steps of a sweep in this process, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mmulbench.opening import Checked, Opened, check, open_task
from mmulbench.pipeline import execute, make_problem
from mmulbench.progress import Progress
from mmulbench.references import load_original, load_retrain
from mmulbench.results import RunResult
from mmulbench.session import Request, configured, plan_run
from mmulbench.sweeps.grid import Job
from mmulbench.sweeps.plan import Step, shared_settings


@dataclass(frozen=True)
class Made:
    """What came of a step.

    Attributes:
        record: of a run; None for an original or a retrain.
        path: of the record.
    """

    record: RunResult | None = None
    path: Path | None = None


class Runner:
    """Makes steps; keeps the last task open, since steps of one task follow each other.

    Args:
        options: of ``mmulbench run``, the same for all steps; its task, methods and seeds do not count.
        progress: shows bars.
    """

    def __init__(self, options: Request, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._key: object = None
        self._opened: Opened | None = None

    def make(self, step: Step) -> Made:
        """Make a step.

        Raises:
            MmulbenchError: when a folder cannot be written, data is damaged, or training diverges.
        """
        request = request_of(step.job, self._options)
        checked = check(request)
        opened = self._open(step.job, request, checked)
        if step.kind == "run":
            return self._run(step.job, request, checked, opened)
        original, _ = load_original(opened.prepared, step.job.seed, opened.workspace)
        if step.kind == "retrain":
            prepared, seed = opened.prepared, step.job.seed
            forget = prepared.task.forget_units(prepared.data, opened.size, seed)
            problem = make_problem(original, forget, prepared, seed, opened.workspace)
            load_retrain(prepared, problem, forget, seed, opened.workspace)
        return Made()

    def _run(self, job: Job, request: Request, checked: Checked, opened: Opened) -> Made:
        method = configured(job.method, request, checked)
        run = plan_run(job.method, method, job.seed, request, opened)
        record, _ = execute(run, opened.prepared, opened.workspace, request.overwrite)
        return Made(record, opened.workspace.store.path(run.spec))

    def _open(self, job: Job, request: Request, checked: Checked) -> Opened:
        key = (job.task, job.backbone, shared_settings(job))
        if self._opened is None or key != self._key:
            self._opened = None  # lets go of the last task's data before the next is read
            self._opened = open_task(request, checked, request.results_dir, self._progress)
            self._key = key
        size = checked.task.forget_size(self._opened.prepared.data, checked.forget_size)
        return replace(self._opened, size=size)


def request_of(job: Job, options: Request) -> Request:
    """The request of a job's run."""
    return replace(
        options,
        task=job.task,
        methods=(job.method,),
        seeds=(job.seed,),
        backbone=job.backbone,
        forget_size=job.forget_size,
        settings=job.settings,
    )
