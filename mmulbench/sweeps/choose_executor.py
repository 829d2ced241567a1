"""Which executor makes the steps: from options, the sweep file's table, and what was submitted before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.local import Local
from mmulbench.sweeps.packing import ONE_EACH, checked_pack
from mmulbench.sweeps.slurm import Slurm
from mmulbench.sweeps.slurm_jobs import read_jobs
from mmulbench.sweeps.slurm_settings import checked_settings, parsed_settings

NAMES = ("local", "slurm", "debug")


@dataclass(frozen=True)
class Asked:
    """What was given as options; None or empty for what was not.

    Attributes:
        name: of the executor.
        workers: local processes side by side.
        timeout: seconds that a step may take.
        detach: whether to start local workers and leave.
        pack: runs in one Slurm task, or minutes.
        slurm: ``key=value`` for Slurm.
    """

    name: str | None = None
    workers: int | None = None
    timeout: float | None = None
    detach: bool = False
    pack: str | None = None
    slurm: Sequence[str] = ()


def choose_executor(asked: Asked, table: Mapping[str, str]) -> Local | Slurm | None:
    """The executor of a new sweep; None for this process.

    Args:
        asked: options, which take the place of what the table says.
        table: of the sweep file, its values as they are written.

    Raises:
        UsageError: for what does not fit together or is no value.
    """
    asked, settings = _completed(asked, table)
    name = asked.name or "local"
    if name not in NAMES:
        raise UsageError(f"unknown executor {name!r}{did_you_mean(name, NAMES)}")
    _check(asked, name)
    if name == "debug":
        return None
    if name == "local":
        return Local(asked.workers or 1, asked.timeout, asked.detach)
    given = checked_settings({**settings, **parsed_settings(asked.slurm)})
    return Slurm(given, checked_pack(ONE_EACH if asked.pack is None else asked.pack), asked.timeout)


def _check(asked: Asked, name: str) -> None:
    """Refuse what another executor understands."""
    if name != "slurm" and (asked.slurm or asked.pack is not None):
        raise UsageError(f"{'--slurm' if asked.slurm else '--pack'} needs --executor slurm, not {name}")
    given = {"--workers": asked.workers is not None, "--detach": asked.detach}
    if name == "debug":
        given["--timeout"] = asked.timeout is not None
    why = {
        "debug": "debug makes all steps in this process",
        "slurm": "Slurm starts the workers, and nothing waits",
    }
    if name != "local":
        for option in (option for option, is_given in given.items() if is_given):
            raise UsageError(f"{option} needs --executor local: {why[name]}")


def executor_of_retry(asked: Asked, folder: SweepFolder) -> Local | Slurm | None:
    """The executor that goes on with a sweep: Slurm as before, where it was submitted, unless told.

    Raises:
        UsageError: for what does not fit together or is no value.
        MmulbenchError: when it cannot be read what was submitted.
    """
    before = read_jobs(folder)
    if before is None or asked.name not in (None, "slurm"):
        return choose_executor(asked, {})
    table = {"name": "slurm", "pack": before.pack, **before.settings}
    if before.timeout is not None:
        table["timeout"] = str(before.timeout)
    return choose_executor(asked, table)


def _completed(asked: Asked, table: Mapping[str, str]) -> tuple[Asked, dict[str, str]]:
    """The options, completed by a table for the same executor, and the rest of it: Slurm's settings."""
    name = table.get("name", "local")
    if asked.name not in (None, name):
        return asked, {}
    own = {field.name for field in fields(Asked)} - {"slurm", "detach"}
    rest = {key: value for key, value in table.items() if key not in own}
    if rest and name != "slurm":
        first = next(iter(rest))
        raise UsageError(
            f"executor: unknown field {first!r}{did_you_mean(first, own)}; others go with name: slurm"
        )
    completed = Asked(
        name=asked.name or name,
        workers=asked.workers or _count(table, "workers"),
        timeout=asked.timeout or _seconds(table, "timeout"),
        detach=asked.detach,
        pack=_pack(table) if asked.pack is None else asked.pack,
        slurm=asked.slurm,
    )
    return completed, rest


def _count(table: Mapping[str, str], key: str) -> int | None:
    text = table.get(key)
    if text is not None and not (text.isdigit() and int(text)):
        raise UsageError(f"executor: {key}: {text} is no whole number of at least 1")
    return int(text) if text is not None else None


def _pack(table: Mapping[str, str]) -> str | None:
    text = table.get("pack")
    return checked_pack(text, "executor: pack") if text is not None else None


def _seconds(table: Mapping[str, str], key: str) -> float | None:
    text = table.get(key)
    try:
        value = float(text) if text is not None else None
    except ValueError:
        value = 0.0
    if value is not None and not 1 <= value < math.inf:
        raise UsageError(f"executor: {key}: {text} is no number of seconds of at least 1")
    return value
