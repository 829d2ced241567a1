"""Read what Slurm is asked for: ``--slurm key=value`` and the ``executor`` table of a sweep file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmulbench.errors import UsageError
from mmulbench.sweeps.sweep_file import read_fields

MINUTES = 60
"""Time limit of a task unless another is set; a task that reaches it is queued again and goes on."""

SHORT_NAMES = {"timeout_min": "time", "mem_gb": "mem", "gpus": "gpus-per-node", "cpus": "cpus-per-task"}
"""Names that are shorter than those of ``sbatch``, or that submitit's users know."""

OURS = (
    "array",
    "dependency",
    "output",
    "error",
    "open-mode",
    "signal",
    "wrap",
    "no-requeue",
    "ntasks",
    "nodes",
)
"""Options of ``sbatch`` that a sweep sets itself, or that would break it."""

_TIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<clock>\d+(?::\d{1,2}){0,2})")
_KEY = re.compile(r"[a-z][a-z0-9_-]*")


def read_executor(file: Path) -> dict[str, str]:
    """Read the ``executor`` table of a sweep file, every value as it is written; empty where there is none.

    Args:
        file: the sweep file.

    Raises:
        UsageError: The file is no sweep, the table is none, or two keys set the same option.
        MmulbenchError: The file cannot be read.
    """
    found = read_fields(file).get("executor", {})
    texts = isinstance(found, dict) and all(isinstance(one, str) for pair in found.items() for one in pair)
    if not texts:
        raise UsageError(f"{file}: executor must be a table of single values, such as name: slurm")
    return _each_once(found.items(), f"{file}: executor")


def parsed_settings(items: Sequence[str]) -> dict[str, str]:
    """Return settings from ``key=value`` items.

    Raises:
        UsageError: An item has no ``=``, or two items set the same option.
    """
    pairs = []
    for item in items:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(f"--slurm {item!r} is not key=value, such as --slurm partition=gpu")
        pairs.append((key, value))
    return _each_once(pairs, "--slurm")


def _each_once(pairs: Iterable[tuple[str, str]], place: str) -> dict[str, str]:
    """Return settings by key.

    Raises:
        UsageError: Two of them set the same option.
    """
    found: dict[str, str] = {}
    first_key: dict[str, str] = {}
    for key, value in pairs:
        first = first_key.setdefault(_option(key), key)
        if first != key or found.setdefault(key, value) != value:
            raise UsageError(f"{place}: {key} sets again what {first} has set: keep one")
    return found


def _option(key: str) -> str:
    """Return the name that ``sbatch`` has for a key."""
    return SHORT_NAMES.get(key, key.replace("_", "-"))


def checked_settings(given: Mapping[str, str]) -> dict[str, str]:
    """Return settings under the names that ``sbatch`` knows, ``time`` in minutes, and ``parallel``.

    Slurm itself says what is wrong with any other option, when the jobs are submitted.

    Args:
        given: options of ``sbatch`` without dashes, or short names of them, and their values.

    Raises:
        UsageError: A sweep sets the option itself, or a value is no time or no number.
    """
    found = {}
    for key, value in given.items():
        name = _option(key)
        if not _KEY.fullmatch(key) or name in OURS:
            raise UsageError(f"--slurm {key}={value}: a sweep sets {name} itself, or cannot work with it")
        if not value or "\n" in value:
            raise UsageError(f"--slurm {key}={value}: the value is empty or has several lines")
        if key == "mem_gb":
            value = f"{round(_number(key, value) * 1024)}M"
        elif name == "time":
            value = str(minutes(value))
        elif name == "parallel" and (not value.isdigit() or not int(value)):
            raise UsageError(f"--slurm parallel={value}: give the number of tasks that may run at once")
        found[name] = value
    return found


def minutes(text: str) -> int:
    """Return the minutes of a time as Slurm writes it, rounded up.

    Args:
        text: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or
            days-hours:minutes:seconds.

    Raises:
        UsageError: It is no time, or no time at all.
    """
    matched = _TIME.fullmatch(text)
    if matched is None:
        raise UsageError(f"--slurm time={text}: give minutes, hours:minutes:seconds or days-hours")
    parts = [int(part) for part in matched["clock"].split(":")]
    if matched["days"] is not None:
        hours, mins, seconds = (*parts, 0, 0)[:3]
    else:
        hours, mins, seconds = parts if len(parts) == 3 else (0, *(*parts, 0)[:2])
    total = (int(matched["days"] or 0) * 24 + hours) * 3600 + mins * 60 + seconds
    if not total:
        raise UsageError(f"--slurm time={text}: a task needs at least one minute")
    return -(-total // 60)


def _number(key: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise UsageError(f"--slurm {key}={value}: {value!r} is no number") from error
