"""Keep a worker alive: end it when a step takes too long, and start another when it dies.

``python -m mmulbench.sweeps.supervisor FOLDER [STEP ...] [--timeout SECONDS]`` is a process of its own, so
that the command that started the sweep may end. SIGTERM ends it and its worker; the step under way then waits
again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.killed_step import state_of_killed
from mmulbench.sweeps.state import StepState, now, worker_name

POLL_SECONDS = 0.2
"""Time between two looks at the worker."""

GO_ON = 75
"""Exit code of a worker after which a new process is to go on with the rest."""


class RunningStep(NamedTuple):
    """Holds a step that a worker makes, and its state.

    Attributes:
        step_id: id of the step.
        state: its state.
    """

    step_id: str
    state: StepState


def worker_command(folder: SweepFolder, step_ids: Sequence[str] = ()) -> list[str]:
    """Return the command line of a worker.

    Args:
        folder: folder of the sweep.
        step_ids: ids of the steps that the worker may take, all by default.
    """
    return [sys.executable, "-m", "mmulbench.sweeps", str(folder.root), *step_ids]


def supervise(
    folder: SweepFolder,
    command: Sequence[str],
    timeout: float | None,
    environment: Mapping[str, str],
    interrupted: Callable[[], bool] = lambda: False,
) -> int:
    """Run workers, one after the other, until one ends because nothing is left to do.

    A step that takes longer than ``timeout`` seconds, or whose worker dies, has failed; another worker takes
    the rest.

    Args:
        folder: folder of the sweep.
        command: command line of a worker.
        timeout: seconds that a step may take, if there is a limit.
        environment: variables set for the worker.
        interrupted: function that tells whether to end the worker, whose step then waits again.

    Returns:
        0, or the exit code of a worker that died without having begun a step, which is not tried again.

    Raises:
        MmulbenchError: The sweep's folder cannot be written.
    """
    with folder.attended():
        while True:
            with tempfile.TemporaryFile() as printed:
                process = _start(command, environment, printed)
                try:
                    overdue = _watch(folder, process, timeout, interrupted)
                finally:
                    _end(process)
                lines = _lines(printed)
            begun = folder.worker_marker(process.pid).exists()
            running = _running(folder, process.pid)
            folder.worker_marker(process.pid).unlink(missing_ok=True)
            if interrupted():
                if running is not None:
                    _queue_again(folder, running)
                return 0
            if running is not None:
                said = lines[-1] if lines else ""
                reason = f"took longer than --timeout {timeout:g} s" if overdue else _death(process, said)
                _record_death(folder, running, reason, lines)
            elif process.returncode != GO_ON and not (begun and process.returncode < 0):
                if process.returncode:
                    unsaid = [f"mmulbench: a worker could not start: {_death(process)}"]
                    print("\n".join(lines or unsaid), file=sys.stderr)
                return process.returncode


def _start(
    command: Sequence[str], environment: Mapping[str, str], printed: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=printed,
        start_new_session=True,  # so that what the worker starts can be ended with it
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a worker and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _watch(
    folder: SweepFolder,
    process: subprocess.Popen[bytes],
    timeout: float | None,
    interrupted: Callable[[], bool],
) -> bool:
    """Wait until a worker ends or is to be ended, and tell whether a step took too long."""
    while process.poll() is None and not interrupted():
        time.sleep(POLL_SECONDS)
        if timeout is None:
            continue
        running = _running(folder, process.pid)
        if running is not None and (now() - running.state.started).total_seconds() > timeout:
            return True
    return False


def _running(folder: SweepFolder, pid: int) -> RunningStep | None:
    """Return the step that a worker process has begun and not ended."""
    try:
        step_id = folder.worker_marker(pid).read_text()
    except FileNotFoundError:
        return None
    state = folder.state(step_id)
    if state is None or state.status not in ("running", "lost"):
        return None
    return RunningStep(step_id, state) if state.worker.split(",")[0] == worker_name(pid) else None


def _record_death(folder: SweepFolder, running: RunningStep, reason: str, lines: Sequence[str]) -> None:
    ended = state_of_killed(folder, running.step_id, running.state, reason, folder.read())
    folder.write_state(running.step_id, ended)
    for line in lines:
        _log(folder, running.step_id, line)
    _log(folder, running.step_id, f"{ended.status}: {ended.reason}")


def _queue_again(folder: SweepFolder, running: RunningStep) -> None:
    folder.write_state(running.step_id, running.state.queued("interrupted"))
    _log(folder, running.step_id, "interrupted; it waits again")


def _log(folder: SweepFolder, step_id: str, line: str) -> None:
    """Add to a step's log; a full disk costs the line only."""
    with contextlib.suppress(OSError), folder.log(step_id).open("a", encoding="utf-8") as file:
        file.write(f"{now().isoformat(timespec='seconds')} {line}\n")


def _lines(printed: IO[bytes]) -> list[str]:
    printed.seek(0)
    return printed.read().decode(errors="replace").strip().splitlines()


def _death(process: subprocess.Popen[bytes], said: str = "") -> str:
    """Say how a worker died."""
    if process.returncode >= 0:
        return f"its worker ended with exit code {process.returncode}{f': {said}' if said else ''}"
    name = signal.Signals(-process.returncode).name
    hint = ", which is also what happens when memory runs out" if name == "SIGKILL" else ""
    return f"its worker was ended by {name}{hint}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Supervise one worker of this machine."""
    parser = argparse.ArgumentParser(prog="python -m mmulbench.sweeps.supervisor")
    parser.add_argument("folder", type=Path)
    parser.add_argument("steps", nargs="*", help="that the worker may take, all by default")
    parser.add_argument("--timeout", type=float)
    given = parser.parse_args(arguments)
    over = threading.Event()

    def stop(*_: object) -> None:
        over.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    folder = SweepFolder(given.folder)
    try:
        return supervise(folder, worker_command(folder, given.steps), given.timeout, {}, over.is_set)
    except MmulbenchError as error:
        print(f"mmulbench: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
