"""Read what Slurm is asked for: ``--slurm key=value`` and the ``executor`` table of a sweep file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmulbench.errors import UsageError
from mmulbench.sweeps.sbatch_options import unknown_option
from mmulbench.sweeps.setup_lines import fault_of_lines
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
    "clusters",
    "parsable",
    "quiet",
    "test-only",
    "wait",
    "ignore-pbs",
    "help",
    "usage",
    "version",
)
"""Options of ``sbatch`` that a sweep sets itself, or that would break it."""

OWN = ("parallel", "setup")
"""Keys beside the options of ``sbatch``."""

OTHER_FIELDS = ("pack", "timeout")
"""Fields of a sweep file's table that are no settings of jobs, but may be what was meant."""

SETUP_TYPE = "setup must be shell lines: a text, or a list of texts such as [module load cuda]"

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
    if isinstance(found, dict) and "setup" in found:
        found = {**found, "setup": _as_lines(found["setup"], f"{file}: executor")}
    texts = isinstance(found, dict) and all(isinstance(one, str) for pair in found.items() for one in pair)
    if not texts:
        raise UsageError(f"{file}: executor must be a table of single values, such as name: slurm")
    return _each_once(found.items(), f"{file}: executor")


def _as_lines(value: object, place: str) -> str:
    """Return shell lines as one text, from a text or a list of texts.

    Raises:
        UsageError: It is something else.
    """
    given = value if isinstance(value, list) else [value]
    lines = [line for line in given if isinstance(line, str)]
    if not lines or len(lines) < len(given):
        raise UsageError(f"{place}: {SETUP_TYPE}")
    return "\n".join(lines)


def parsed_settings(items: Sequence[str]) -> dict[str, str]:
    """Return settings from ``key=value`` items; those of ``setup`` are lines after each other.

    Raises:
        UsageError: An item has no ``=``, or two items set the same option.
    """
    pairs = []
    setup = [item.removeprefix("setup=") for item in items if item.startswith("setup=")]
    if setup:
        pairs.append(("setup", "\n".join(setup)))
    for item in items:
        if item.startswith("setup="):
            continue
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
    """Return settings under the names that ``sbatch`` knows, ``time`` in minutes, ``parallel`` and ``setup``.

    Slurm itself says which value of any other option is wrong, when the jobs are submitted.

    Args:
        given: options of ``sbatch`` without dashes, or short names of them, and their values.

    Raises:
        UsageError: There is no such option, a sweep sets it itself, or a value is of the wrong kind.
    """
    found = {}
    for key, value in given.items():
        name = _option(key)
        if name != "setup":
            _check_name(key, value)
            if not value or {"\n", "\0"} & set(value):
                raise UsageError(f"--slurm {key}={value}: the value is empty or has several lines")
        found[name] = _checked_value(key, value)
    return found


def _check_name(key: str, value: str) -> None:
    """Refuse an option that sbatch has not, or that a sweep sets itself.

    Raises:
        UsageError: It is such an option.
    """
    name = _option(key)
    if not _KEY.fullmatch(key) or name in OURS:
        raise UsageError(f"--slurm {key}={value}: a sweep sets {name} itself, or cannot work with it")
    if name not in OWN and (fault := unknown_option(name, (*SHORT_NAMES, *OWN, *OTHER_FIELDS))):
        raise UsageError(f"--slurm {key}={value}: {fault}")


def _checked_value(key: str, value: str) -> str:
    """Return a value as sbatch takes it.

    Raises:
        UsageError: It is of the wrong kind.
    """
    name = _option(key)
    if key == "mem_gb":
        return f"{round(_gigabytes(value) * 1024)}M"
    if name == "time":
        return str(minutes(value))
    if name == "parallel" and re.fullmatch("0*[1-9][0-9]*", value) is None:
        raise UsageError(f"--slurm parallel={value}: give the number of tasks that may run at once")
    return _checked_setup(value) if name == "setup" else value


def _checked_setup(lines: str) -> str:
    """Return shell lines, where bash can read them.

    Raises:
        UsageError: There are none, or bash cannot.
    """
    if not lines.strip() or "\0" in lines:
        raise UsageError(f"--slurm setup={lines.strip()}: {SETUP_TYPE}")
    if fault := fault_of_lines(lines):
        raise UsageError(f"--slurm setup: bash cannot read these lines: {fault}")
    return lines


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


def _gigabytes(value: str) -> float:
    """Return a number of gigabytes.

    Raises:
        UsageError: It is none, or not over zero.
    """
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise UsageError(f"--slurm mem_gb={value}: {value!r} is no number of gigabytes")
    return number
