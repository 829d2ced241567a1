"""Folders for sweeps, commands that work on them, and two methods that wait in mid-training."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forks
from slurm_cluster import PATIENCE, until

from mmulbench.cli.app import main
from mmulbench.records.schema import RunResult
from mmulbench.sweeps.slurm_jobs import SlurmJobs

REPOSITORY = Path(__file__).resolve().parents[2]

PLUGIN = '''
"""Gradient ascent that stops in the middle until it is told to go on."""
import os
import time
from pathlib import Path

import torch

from mmulbench.methods.gradient_ascent import GradientAscent
from mmulbench.core.registry import METHODS


@METHODS.register("waiting")
@METHODS.register("waiting_too")
class Waiting(GradientAscent):
    """Gradient ascent that waits for a file before its second step."""

    def loss(self, model, batch, problem):
        pairs = zip(model.parameters(), problem.original.parameters())
        if any(not torch.equal(*pair) for pair in pairs):
            folder = Path(os.environ["WAITING"])
            (folder / f"begun-{os.getpid()}").touch()
            while not (folder / "go").exists():
                time.sleep(0.05)
        return super().loss(model, batch, problem)
'''


@dataclass(frozen=True)
class Done:
    """An ended command."""

    code: int
    out: str
    err: str


class Site:
    """Folders of its own for sweeps, and commands that work on them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.results = root / "results"
        self.cache = root / "cache"
        self.sweeps = root / "sweeps"
        root.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(REPOSITORY),
            "MMULBENCH_RESULTS": str(self.results),
            "MMULBENCH_CACHE": str(self.cache),
            "MMULBENCH_SWEEPS": str(self.sweeps),
            "MMULBENCH_CHECKPOINT_SECONDS": "0",
            "WAITING": str(root),
        }

    def start(self, *words: str) -> forks.Fork:
        """Start a command in a fork of a warm server."""
        return forks.Fork(self.root, self.environment, "-m", "mmulbench", *words)

    def run(self, *words: str, before: Sequence[str] = ()) -> Done:
        """Run a command in a fork, or in a new process by another command where there are words before it."""
        if before:
            command = [*before, sys.executable, "-m", "mmulbench", *words]
            found = subprocess.run(
                command,
                cwd=self.root,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=2 * PATIENCE,
            )
        else:
            found = self.start(*words).wait(2 * PATIENCE)
        return Done(found.returncode, found.stdout, found.stderr)

    def here(self, *words: str) -> Done:
        """Run a command that only looks at a sweep, in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, "--sweeps-dir", str(self.sweeps)])
        return Done(code, out.getvalue(), err.getvalue())

    def status(self) -> dict[str, Any]:
        """What ``status --json`` says."""
        return json.loads(self.here("status", "--json").out)

    def until_over(self) -> dict[str, Any]:
        """Wait until no step waits or runs, and return the status then."""
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(self.status())
            return not {"queued", "running"} & found["counts"].keys()

        until(is_over, f"the end of {self.sweeps}", every=1)  # Slurm's commands take time of the jobs
        return found

    def jobs(self) -> SlurmJobs:
        """What was submitted."""
        (path,) = self.sweeps.glob("*/slurm.json")
        return SlurmJobs.model_validate_json(path.read_text())

    def records(self) -> list[RunResult]:
        """All records, in the order of tasks, methods and seeds."""
        found = [RunResult.model_validate_json(path.read_text()) for path in self.results.rglob("*.json")]
        return sorted(found, key=lambda record: (record.spec.task, record.spec.method, record.spec.seed))

    def begun(self) -> list[str]:
        """Processes that have come to where a method waits."""
        return sorted(path.name for path in self.root.glob("begun-*"))

    def go(self) -> None:
        """Let what waits go on."""
        (self.root / "go").touch()


def numbers(records: list[RunResult]) -> list[tuple[object, ...]]:
    """What has to be the same wherever runs are made."""
    return [(one.run_id, one.status, one.values, one.histograms) for one in records]
