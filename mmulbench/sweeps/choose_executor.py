"""Choose the executor from options, the sweep file's table, and what was submitted before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.frozen import Frozen
from mmulbench.sweeps.debug import DebugExecutor
from mmulbench.sweeps.executor import Executor
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.local import LocalExecutor
from mmulbench.sweeps.slurm import SlurmExecutor
from mmulbench.sweeps.slurm_jobs import read_jobs
from mmulbench.sweeps.slurm_settings import parsed_settings

EXECUTORS: TypeAdapter[Executor] = TypeAdapter(
    Annotated[LocalExecutor | SlurmExecutor | DebugExecutor, Field(discriminator="name")]
)
"""Reads an executor from its settings; ``name`` says which."""

NAMES = ("local", "slurm", "debug")
"""Names of the executors."""

TABLE_FIELDS = ("name", "workers", "timeout", "pack")
"""Fields of a sweep file's table; in a table for Slurm, all others are options of ``sbatch``."""

NEEDS_LOCAL = {
    "debug": "debug makes all steps in this process",
    "slurm": "Slurm starts the workers, and nothing waits",
}
"""Reasons why an executor does not understand an option of local workers."""


class ExecutorOptions(Frozen):
    """Holds the options of the command line that choose an executor; None or empty where not given.

    Attributes:
        name: name of the executor.
        workers: number of local processes side by side.
        timeout: seconds that a step may take.
        detach: whether to start local workers and leave.
        pack: number of runs in one Slurm task, or of minutes.
        slurm: ``key=value`` options of ``sbatch``.
    """

    name: str | None = None
    workers: int | None = None
    timeout: float | None = None
    detach: bool = False
    pack: str | None = None
    slurm: tuple[str, ...] = ()


def choose_executor(options: ExecutorOptions, table: Mapping[str, str]) -> Executor:
    """Return the executor of a new sweep.

    Args:
        options: options, which take the place of the table's values.
        table: the sweep file's table, its values as they are written; a table for another executor than the
            one that is named by the options does not count.

    Raises:
        UsageError: Something does not fit together or is no value.
    """
    table_name = table.get("name", "local")
    name = options.name or table_name
    if name != table_name:
        table = {}
    sbatch = {key: value for key, value in table.items() if key not in TABLE_FIELDS}
    if sbatch and name != "slurm":
        first = next(iter(sbatch))
        hint = did_you_mean(first, TABLE_FIELDS)
        raise UsageError(f"executor: unknown field {first!r}{hint}; others go with name: slurm")
    given = options.model_dump(exclude_defaults=True, exclude={"name", "slurm"})
    if sbatch or options.slurm:
        given["sbatch"] = {**sbatch, **parsed_settings(options.slurm)}
    own = {key: value for key, value in table.items() if key in TABLE_FIELDS}
    try:
        return EXECUTORS.validate_python({**own, **given, "name": name})
    except ValidationError as error:
        raise UsageError(_first_fault(error, name, given)) from error


def executor_for_retry(options: ExecutorOptions, folder: SweepFolder) -> Executor:
    """Return the executor that goes on with a sweep: Slurm as before, where it was submitted, unless told.

    Args:
        options: options, which take the place of what was submitted before.
        folder: folder of the sweep.

    Raises:
        UsageError: Something does not fit together or is no value.
        MmulbenchError: The file of what was submitted cannot be read.
    """
    before = read_jobs(folder)
    if before is None or options.name not in (None, "slurm"):
        return choose_executor(options, {})
    table = {**before.settings, "name": "slurm", "pack": before.pack}
    if before.timeout is not None:
        table["timeout"] = str(before.timeout)
    return choose_executor(options, table)


def _first_fault(error: ValidationError, name: str, given: Collection[str]) -> str:
    """Return one line on the first fault, which says where the value was given."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "union_tag_invalid":
        return f"unknown executor {name!r}{did_you_mean(name, NAMES)}"
    field = str(first["loc"][1])
    option = f"--{'slurm' if field == 'sbatch' else field}"
    if first["type"] == "extra_forbidden":
        if field in SlurmExecutor.model_fields and field not in LocalExecutor.model_fields:
            return f"{option} needs --executor slurm, not {name}"
        return f"{option} needs --executor local: {NEEDS_LOCAL[name]}"
    place = option if field in given else f"executor: {field}"
    if first["type"] == "value_error":
        return f"{place}: {first['ctx']['error']}"
    message = first["msg"]
    return f"{place}: {message[:1].lower()}{message[1:]}, not {first['input']}"
