"""Call Slurm's commands, and read their answers whatever bytes are in them."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import IO, NamedTuple

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.slurm_environment import clean_environment

PATIENCE_SECONDS = 60.0
"""Time limit of Slurm's commands, which try for a while to reach its controller before they give up."""

FULL_SECONDS = 2.0
"""Time for which sbatch may try again where the controller holds as many jobs as it can; by itself it tries
for two minutes."""

POLL_SECONDS = 0.02
"""Time between two looks at what sbatch says."""

LARGEST_ANSWER = 1 << 20
"""Largest number of bytes of what sbatch says that are read."""

USUAL_ARRAY_SIZE = 1000
"""Largest number of tasks in a job array, unless the cluster sets another."""


class Cluster(NamedTuple):
    """Holds what a submission needs to know of a cluster.

    Attributes:
        name: name of the cluster; job ids mean something there alone.
        array_size: largest number of tasks in a job array.
    """

    name: str
    array_size: int


class RefusedJobs(MmulbenchError):
    """Tells that sbatch refuses jobs; the message is its reason."""


class FullQueue(RefusedJobs):
    """Tells that sbatch refuses jobs since there are too many of them; fewer, or later, it may take."""


def answer(command: Sequence[str]) -> str:
    """Return what one of Slurm's commands prints.

    Raises:
        MmulbenchError: It is not here, fails, or takes too long.
    """
    try:
        done = subprocess.run(
            command,
            env=clean_environment(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise MmulbenchError(f"there is no {command[0]} on this machine, so Slurm cannot be asked") from error
    except subprocess.TimeoutExpired as error:
        raise MmulbenchError(
            f"Slurm does not answer ({command[0]} took over {PATIENCE_SECONDS:g} s)"
        ) from error
    if done.returncode:
        raise MmulbenchError(f"Slurm does not answer: {reasons(done.stderr)}")
    return done.stdout


def reasons(text: str) -> str:
    """Return the reasons that Slurm's commands give in one line, without ``sbatch: error:`` and the like."""
    found = [re.sub(r"^.*?(error|fatal): ", "", line).strip() for line in text.splitlines() if line.strip()]
    return "; ".join(found) or "no reason given"


def this_cluster() -> Cluster:
    """Ask Slurm which cluster this is.

    Raises:
        MmulbenchError: Slurm cannot be asked.
    """
    said = answer(["scontrol", "show", "config"])
    values = dict(re.findall(r"^(\w+)\s*=\s*(.*?)\s*$", said, re.MULTILINE))
    size = values.get("MaxArraySize", "")
    return Cluster(values.get("ClusterName", ""), int(size) if size.isdecimal() else USUAL_ARRAY_SIZE)


def sbatch(arguments: Sequence[str]) -> str:
    """Submit a job or an array of jobs, and return its id.

    Args:
        arguments: options and the script.

    Raises:
        FullQueue: There are too many jobs in the queue, or in this array.
        RefusedJobs: It is refused for another reason.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            ["sbatch", *arguments], env=clean_environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        try:
            waited = _waits_for_room(process, err)
        finally:
            process.kill()
            process.wait()
        said, complaint = _so_far(out), _so_far(err)
    if submitted := re.search(r"^Submitted batch job (\d+)", said, re.MULTILINE):
        return submitted[1]
    if waited:
        raise FullQueue(reasons(complaint).replace(", sleeping and retrying", ""))
    if limit := _limit_of_number(complaint):
        raise FullQueue(limit)
    raise RefusedJobs(reasons(complaint or said))


def _waits_for_room(process: subprocess.Popen[bytes], err: IO[bytes]) -> bool:
    """Wait until sbatch has ended, and tell whether it has not but waits for room in the queue."""
    since: float | None = None
    while process.poll() is None:
        time.sleep(POLL_SECONDS)
        if since is None and "sleeping and retrying" in _so_far(err):
            since = time.monotonic()
        if since is not None and time.monotonic() - since > FULL_SECONDS:
            return True
    return False


def _so_far(file: IO[bytes]) -> str:
    """Return what a command has written, without moving the place where it goes on."""
    return os.pread(file.fileno(), LARGEST_ANSWER, 0).decode(errors="replace")


def _limit_of_number(text: str) -> str | None:
    """Return the limit of the number of jobs by which they were refused, as far as sbatch says which."""
    named = re.findall(r"\b(?:Assoc|QOS)\w+", text)
    if not named:
        return reasons(text) if "job submit limit" in text else None
    return next((name for name in named if "Submit" in name), None)
