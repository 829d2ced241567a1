"""Keeps a worker alive: ends it when a step takes too long, and starts another when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from mmulbench.sweeps.folder import ENDED, StepState, SweepFolder, now

POLL_SECONDS = 0.2


def worker_command(folder: SweepFolder, first: int, count: int) -> list[str]:
    """The command line of a worker that may take ``count`` steps from number ``first`` on."""
    return [sys.executable, "-m", "mmulbench.sweeps", str(folder.root), str(first), str(count)]


def supervise(
    folder: SweepFolder, command: Sequence[str], timeout: float | None, environment: Mapping[str, str]
) -> None:
    """Run a worker until it ends by itself.

    A step that takes longer than ``timeout`` seconds, or whose worker dies, has failed; another worker takes
    the rest.

    Args:
        folder: of the sweep.
        command: of the worker.
        timeout: seconds a step may take, or None.
        environment: variables set for the worker.
    """
    while True:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            overdue = _watch(folder, process, timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        _, printed = process.communicate()
        running = _running(folder, process.pid)
        if running is None:
            if process.returncode:
                text = printed.decode(errors="replace").strip().splitlines()
                print(text[-1] if text else f"a worker ended with {process.returncode}", file=sys.stderr)
            return
        step_id, state = running
        reason = f"took longer than --timeout {timeout:g} s" if overdue else _death(process.returncode)
        folder.write_state(
            step_id, state.model_copy(update={"status": "failed", "ended": now(), "reason": reason})
        )


def _watch(folder: SweepFolder, process: subprocess.Popen[bytes], timeout: float | None) -> bool:
    """Wait for the end of a worker; whether it was ended because a step took too long."""
    while process.poll() is None:
        time.sleep(POLL_SECONDS)
        if timeout is None:
            continue
        running = _running(folder, process.pid)
        if running is not None and (now() - running[1].started).total_seconds() > timeout:
            process.kill()
            process.wait()
            return True
    return False


def _running(folder: SweepFolder, pid: int) -> tuple[str, StepState] | None:
    """The step that a worker process has begun and not ended."""
    marker = folder.worker_marker(pid)
    try:
        step_id = marker.read_text()
    except FileNotFoundError:
        return None
    state = folder.state(step_id)
    if state is None or state.status in ENDED:
        return None
    return step_id, state


def _death(code: int) -> str:
    """How a worker died, in words."""
    if code >= 0:
        return f"its worker ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = ", which is also what happens when memory runs out" if name == "SIGKILL" else ""
    return f"its worker was ended by {name}{hint}"
