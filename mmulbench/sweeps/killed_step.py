"""The record of a run whose worker was ended, written by whoever looked after that worker."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mmulbench.errors import MmulbenchError
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.state import StepState, now


def store_failure(store: ResultsStore, record: RunResult, *, always: bool) -> RunResult:
    """Store a record of a failure, unless there is a better one or another process has made the run since.

    Args:
        store: where records go.
        record: of the failure; its start is that of the attempt.
        always: whether a record with numbers was to be made again, so that it goes.

    Returns:
        The record that the store has now.

    Raises:
        MmulbenchError: when it cannot be written.
    """
    found = store.find(record.spec)
    if found is not None:
        has_numbers = found.status in ("done", "not_applicable")
        if found.finished >= record.started or (has_numbers and not always):
            return found
    store.write(record)
    return record


def state_of_killed(
    folder: SweepFolder, step_id: str, state: StepState, reason: str, options: Mapping[str, Any]
) -> StepState:
    """What became of a step whose worker was ended; the record of its run is written.

    Args:
        folder: of the sweep.
        step_id: the step.
        state: says that it runs.
        reason: how its worker ended.
        options: of the sweep.
    """
    update: dict[str, Any] = {"status": "failed", "ended": now(), "reason": reason, "killed": True}
    planned = folder.planned(step_id)
    with contextlib.suppress(OSError, ValidationError):  # it was ended before it knew what to record
        record = RunResult.model_validate_json(planned.read_bytes())
        store = ResultsStore(Path(options.get("results_dir", "results")))
        try:
            kept = store_failure(
                store,
                record.model_copy(update={"reason": reason, "finished": now()}),
                always=options.get("overwrite") == "always",
            )
        except MmulbenchError as error:
            update["reason"] = f"{reason}; its record is missing: {error}"
        else:
            update |= {"record": str(store.path(kept.spec)), "status": kept.status, "reason": kept.reason}
            update["killed"] = kept.reason == reason
        planned.unlink(missing_ok=True)
    return state.model_copy(update=update)
