"""Store the options that all runs of a sweep share, and make requests of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue, ValidationError
from pydantic_core import to_jsonable_python

from mmulbench.errors import MmulbenchError
from mmulbench.files import disk_errors
from mmulbench.records.reading import first_fault
from mmulbench.runs.session import Request
from mmulbench.sweeps.grid import Job

OPTIONS_OF_JOBS = frozenset({"task", "methods", "seeds", "backbone", "forget_size", "settings"})
"""Options that each run has of its own."""


def stored_options(request: Request) -> dict[str, JsonValue]:
    """Return the shared options as JSON can hold them, with absolute paths: workers may start elsewhere."""
    shared = request.model_dump(exclude=set(OPTIONS_OF_JOBS))
    return {name: to_jsonable_python(_absolute(value)) for name, value in shared.items()}


def _absolute(value: object) -> object:
    if isinstance(value, Path):
        return value.resolve()
    return [_absolute(one) for one in value] if isinstance(value, tuple) else value


def shared_request(stored: Mapping[str, JsonValue]) -> Request:
    """Return a request with the options that `stored_options` stored; it names no task and no method.

    Raises:
        MmulbenchError: They are no options of this version.
    """
    try:
        return Request.model_validate({**stored, "task": ""})
    except ValidationError as error:
        raise MmulbenchError(
            f"the sweep's options cannot be used ({first_fault(error)}): it is damaged or of another version "
            "of mmulbench"
        ) from error


def request_of(job: Job, options: Request) -> Request:
    """Return the request of one run.

    Args:
        job: the run.
        options: options that all runs share.
    """
    return options.model_copy(
        update={
            "task": job.task,
            "methods": (job.method,),
            "seeds": (job.seed,),
            "backbone": job.backbone,
            "forget_size": job.forget_size,
            "settings": job.settings,
        }
    )


def enter_folder(path: str) -> None:
    """Go where the sweep was asked for: its settings may name files from there.

    Raises:
        MmulbenchError: That folder is gone.
    """
    with disk_errors("enter", Path(path)):
        os.chdir(path)
