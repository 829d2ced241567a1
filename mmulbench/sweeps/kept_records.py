"""Tell which steps have lost the record that they ended with: its file is gone or damaged."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from mmulbench.file_digests import Stamp
from mmulbench.files import reason_of
from mmulbench.records.record_files import read_file
from mmulbench.records.schema import RunResult
from mmulbench.sweeps.state import ENDED, StepState

END = b"\n}\n"
"""What a record ends with, and none of its parts: these are indented."""


def lost_records(states: Mapping[str, StepState]) -> dict[str, str]:
    """Return why the record of a step that has ended cannot be used, by the id of the step; one line each.

    Args:
        states: states by id of the step.
    """
    ended = {name: state.record for name, state in states.items() if state.status in ENDED and state.record}
    faults = {name: _fault(Path(record)) for name, record in ended.items()}
    return {name: fault for name, fault in faults.items() if fault is not None}


def with_lost_records(states: Mapping[str, StepState]) -> dict[str, StepState]:
    """Return states in which a step that has lost its record has failed.

    Args:
        states: states by id of the step.
    """
    lost = lost_records(states)
    failed = {
        name: states[name].model_copy(update={"status": "failed", "reason": fault})
        for name, fault in lost.items()
        if states[name].status in ("done", "not_applicable")
    }
    return {**states, **failed}


def _fault(path: Path) -> str | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return f"its record {path} is gone"
    except OSError as error:
        return f"its record {path} cannot be used: {reason_of(error)}"
    stamp = Stamp.of(found)
    # What was written a moment ago may be written once more, with the same stamp.
    look = _fault_of_version if stamp.is_settled(time.time_ns()) else _fault_of_version.__wrapped__
    return look(path, stamp, found.st_mode)


@functools.cache
def _fault_of_version(path: Path, stamp: Stamp, mode: int) -> str | None:
    """Look at a file once for each version of it, since `mmulbench status --watch` does every two seconds."""
    if stat.S_ISREG(mode) and _is_whole(path):
        return None
    found = read_file(path)
    if isinstance(found, RunResult):
        return None
    return f"its record {path} {'is gone' if found is None else f'cannot be used: {found.reason}'}"


def _is_whole(path: Path) -> bool:
    """Say whether a file has a record's ends: to read ten thousand of them would take seconds."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        begin = file.read(1)
        file.seek(-len(END), os.SEEK_END)
        return begin == b"{" and file.read() == END
    return False
