"""Write the failed record of a run whose worker was killed; its supervisor does so."""

from __future__ import annotations

import contextlib

from pydantic import ValidationError

from mmulbench.errors import MmulbenchError
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.state import StepState, Sweep, now


def store_failure(store: ResultsStore, record: RunResult, *, always: bool) -> RunResult:
    """Store a record of a failure, unless there is a better one or another process has made the run since.

    Args:
        store: store of the records.
        record: record of the failure, whose start is that of the attempt.
        always: whether a record with numbers was to be made again, so that it is replaced.

    Returns:
        The record that the store has now.

    Raises:
        MmulbenchError: The record cannot be written.
    """
    found = store.find(record.spec)
    if found is not None:
        has_numbers = found.status in ("done", "not_applicable")
        if found.finished >= record.started or (has_numbers and not always):
            return found
    store.write(record)
    return record


def state_of_killed(
    folder: SweepFolder, step_id: str, state: StepState, reason: str, sweep: Sweep
) -> StepState:
    """Return what became of a step whose worker was killed, after writing the record of its run.

    Args:
        folder: folder of the sweep.
        step_id: id of the step.
        state: state of the step, which says that it runs.
        reason: how the worker ended.
        sweep: the sweep.
    """
    update: dict[str, object] = {"status": "failed", "ended": now(), "reason": reason, "killed": True}
    planned = folder.planned(step_id)
    with contextlib.suppress(OSError, ValidationError):  # it was killed before it knew what to record
        record = RunResult.model_validate_json(planned.read_bytes())
        store = ResultsStore(sweep.options.results_dir)
        try:
            kept = store_failure(
                store,
                record.model_copy(update={"reason": reason, "finished": now()}),
                always=sweep.options.overwrite == "always",
            )
        except MmulbenchError as error:
            update["reason"] = f"{reason}; its record is missing: {error}"
        else:
            update |= {"record": str(store.path(kept.spec)), "status": kept.status, "reason": kept.reason}
            update["killed"] = kept.reason == reason
        planned.unlink(missing_ok=True)
    return state.model_copy(update=update)
