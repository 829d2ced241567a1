"""Use the options that all runs of a sweep share: make them absolute, and make requests of them."""

from __future__ import annotations

import os
from pathlib import Path

from mmulbench.files import disk_errors
from mmulbench.runs.request import Request, RunOptions
from mmulbench.sweeps.grid import Job


def with_absolute_paths(options: RunOptions) -> RunOptions:
    """Return the options with absolute paths: workers may start in another folder."""
    return options.model_copy(update={name: _absolute(value) for name, value in options})


def _absolute(value: object) -> object:
    if isinstance(value, Path):
        return value.resolve()
    return tuple(map(_absolute, value)) if isinstance(value, tuple) else value


def request_of(job: Job, options: RunOptions) -> Request:
    """Return the request of one run.

    Args:
        job: the run.
        options: options that all runs share.
    """
    return Request(
        **dict(options),
        task=job.task,
        methods=(job.method,),
        seeds=(job.seed,),
        backbone=job.backbone,
        forget_size=job.forget_size,
        settings=job.settings,
    )


def enter_folder(path: str) -> None:
    """Go where the sweep was asked for: its settings may name files from there.

    Raises:
        MmulbenchError: That folder is gone.
    """
    with disk_errors("enter", Path(path)):
        os.chdir(path)
