"""Log a run to Weights & Biases; its own variables say where: WANDB_MODE, WANDB_PROJECT, WANDB_API_KEY."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmulbench.loggers.run_log import RECORD, RunLog

PROJECT = "mmulbench"
"""Name of the project, where WANDB_PROJECT names none."""


class WandbLog(RunLog):
    """Makes one run of the project; each stage has an axis of its own, its epochs."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=name,
            config=dict(settings),
            dir=str(folder.parent),  # in which it makes a folder wandb, whether there is one or not
            # The numbers are wanted, not what is on the terminal, the code or the machine.
            settings=wandb.Settings(console="off", silent=True, disable_git=True, save_code=False),
        )
        self._stages: set[str] = set()

    def epoch(self, stage: str, number: int, numbers: Mapping[str, float]) -> None:
        """Add a point to each curve of the stage."""
        axis = f"{stage}/epoch"
        if stage not in self._stages:
            self._stages.add(stage)
            self._run.define_metric(axis)
            self._run.define_metric(f"{stage}/*", step_metric=axis)
        self._run.log({axis: number, **{f"{stage}/{name}": value for name, value in numbers.items()}})

    def end(self, status: str, numbers: Mapping[str, float]) -> None:
        """Put the values into the run's summary."""
        self._run.summary.update({f"{RECORD}/{name}": value for name, value in numbers.items()})
        self._run.summary.update({"status": status})
        self._run.finish(exit_code=0 if status in ("done", "not_applicable") else 1)
