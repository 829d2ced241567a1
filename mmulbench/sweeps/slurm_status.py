"""Tell how far a sweep's steps are, from its folder and Slurm together, and why what waits does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.slurm_jobs import (
    LOGS,
    SlurmState,
    SlurmTask,
    other_cluster,
    read_jobs,
    slurm_states,
)
from mmulbench.sweeps.slurm_reasons import reason_of_waiting
from mmulbench.sweeps.state import ENDED, StepState, now

FOLDER_TELLS = "this is what the sweep's folder tells"


@dataclass(frozen=True)
class StepStates:
    """Holds the states of a sweep's steps, as its folder and Slurm together tell.

    Attributes:
        states: states of the steps that were begun or whose Slurm job is over, by id.
        submitted: ids of the steps that were ever submitted; None where Slurm has nothing to do with it.
        live: whether Slurm jobs wait or run, as far as is known.
        notes: lines for the user, on why jobs wait or that Slurm does not answer.
        stuck: lines for the user, on jobs that start only when somebody does something.
        is_standstill: whether all that waits or runs is stuck, or waits for what is.
    """

    states: Mapping[str, StepState]
    submitted: Collection[str] | None = None
    live: bool = False
    notes: Sequence[str] = ()
    stuck: Sequence[str] = ()
    is_standstill: bool = False


def with_slurm(folder: SweepFolder) -> StepStates:
    """Return the states of a sweep's steps, corrected by what Slurm says of those that have not ended."""
    states = folder.states()
    jobs = read_jobs(folder)
    if jobs is None:
        return StepStates(states)
    submitted = jobs.task_of_step()
    tasks = {step: task for step, task in submitted.items() if not _has_ended(states.get(step))}
    if not tasks:
        return StepStates(states, submitted)
    try:
        if (elsewhere := other_cluster(folder, jobs)) is not None:
            return StepStates(states, submitted, True, [f"{elsewhere}; {FOLDER_TELLS}"])
        answers = slurm_states(folder.sweep_id, (task.array for task in tasks.values()))
    except MmulbenchError as error:
        return StepStates(states, submitted, True, [f"{error}; {FOLDER_TELLS}"])
    states = folder.states()  # what ended while Slurm was asked
    found = dict(states)
    for step, task in tasks.items():
        if not _has_ended(states.get(step)):
            corrected = _corrected(folder, task, states.get(step), answers.get(task.job))
            found.pop(step, None)
            if corrected is not None:
                found[step] = corrected
    jobs_of_steps = {task.job for task in tasks.values()}
    live = [one for job in jobs_of_steps if (one := answers.get(job)) is not None and one.is_live]
    notes, stuck, is_standstill = _why_they_wait(live, jobs.job_name(folder.sweep_id))
    return StepStates(found, submitted, bool(live), notes, stuck, is_standstill)


def _why_they_wait(live: Sequence[SlurmState], job_name: str) -> tuple[list[str], list[str], bool]:
    """Return the lines on jobs that start by themselves, those on jobs that do not, and whether all stand."""
    notes, stuck = [], []
    moves = any(not one.waits for one in live)
    for text, count in Counter(one.reason for one in live if one.waits).most_common():
        reason = reason_of_waiting(text, job_name)
        line = f"{count} ({text}){f': {reason.advice}' if reason.advice else ''}"
        if reason.is_for_good:
            stuck.append(f"stuck in Slurm's queue: {line}")
        else:
            notes.append(f"waiting in Slurm's queue: {line}")
            moves = moves or text != "Dependency"
    return notes, stuck, bool(stuck) and not moves


def _has_ended(state: StepState | None) -> bool:
    return state is not None and state.status in ENDED


def _corrected(
    folder: SweepFolder, task: SlurmTask, state: StepState | None, answer: SlurmState | None
) -> StepState | None:
    """Return the state of a step that has not ended; None where it was never begun and waits."""
    if answer is not None and answer.waits:
        return state.queued(f"Slurm job {task.job} waits: {answer.reason}") if state is not None else None
    if answer is not None and answer.runs:
        return state.queued() if state is not None and state.status == "lost" else state
    if folder.is_cancelled:
        return state.queued("cancelled") if state is not None else None
    said = answer.state if answer is not None else "not known any more"
    log = folder.root / LOGS / f"{task.job}_0_log.out"
    reason = f"Slurm job {task.job} is over ({said}); what it printed is in {log}"
    base = state or StepState(status="lost", attempts=0, worker=f"Slurm job {task.job}", started=now())
    return base.model_copy(update={"status": "lost", "reason": reason})
