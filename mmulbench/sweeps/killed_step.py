"""Write the failed record of a run whose worker was killed; its supervisor does so."""

from __future__ import annotations

import contextlib

from pydantic import ValidationError

from mmulbench.errors import MmulbenchError
from mmulbench.files import read_regular
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.state import StepState, Sweep, now

KEPT = "the done record of an earlier try stays"
"""How reasons end where a failure may not replace a record."""


def store_failure(store: ResultsStore, record: RunResult) -> RunResult:
    """Store a record of a failure, unless there is a better one or another process has made the run since.

    Args:
        store: store of the records.
        record: record of the failure, whose start is that of the attempt.

    Returns:
        What came of the run: the record that was made since, or else that of the failure. Its reason says
        where a better record is there, so that it was not stored.

    Raises:
        MmulbenchError: The record cannot be written.
    """
    found = store.find(record.spec)
    if found is not None and found.finished >= record.started:
        return found
    if store.write_unless_worse(record) is None:
        return record
    return record.model_copy(update={"reason": f"{record.reason}; {KEPT}"})


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
        record = RunResult.model_validate_json(read_regular(planned))
        store = ResultsStore(sweep.options.results_dir)
        try:
            ended = store_failure(store, record.model_copy(update={"reason": reason, "finished": now()}))
        except MmulbenchError as error:
            update["reason"] = f"{reason}; its record is missing: {error}"
        else:
            update |= {"record": str(store.path(ended.spec)), "status": ended.status, "reason": ended.reason}
            update["killed"] = (ended.reason or "").startswith(reason)
        planned.unlink(missing_ok=True)
    return state.model_copy(update=update)
