"""What sweeps cost: planning 10,000 runs, the status of as many, and two local workers beside one.

Planning and status are timed as whole commands, imports included. For scaling, 16 equal runs are made by one
worker and by two, in turns, with one thread for each worker; the original and retrain are in the cache. The
ratio of the medians is the figure. It needs two cores that do nothing else.
Run: python benchmarks/sweep.py
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.grid import checked_grid
from mmulbench.sweeps.state import StepState, now
from mmulbench.sweeps.store_sweep import define_sweep, plan_sweep, prepare_sweep

ROUNDS = 3
TURNS = 1
MANY = {
    "task": "emoji",
    "method": ["mmul", "scrub", "npo", "finetune"],
    "seed": list(range(100)),
    "forget_size": list(range(1, 26)),
}
EQUAL = {"task": "emoji", "backbone": "albef:small", "set": {"task.limit": 100, "recipe.epochs": 1}}
RUNS, EPOCHS = 16, 4
PLANNING, STATUS, SCALING = (
    "planning 10,000 runs, seconds",
    "status of 10,000 runs, seconds",
    "16 equal runs, two workers / one",
)
ALLOWED = {PLANNING: 5.0, STATUS: 2.0, SCALING: 0.58}
HERE = Path(__file__).parent


def main() -> None:
    """Measure and write the record."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        found = {PLANNING: planning(root), STATUS: status(root), SCALING: scaling(root)}
    record = {
        "torch": torch.__version__,
        "cores": len(os.sched_getaffinity(0)),
        "rounds": {PLANNING: ROUNDS, STATUS: ROUNDS, SCALING: TURNS},
        **{name: {**values, "allowed": ALLOWED[name]} for name, values in found.items()},
    }
    text = json.dumps(record, indent=1)
    (HERE / "sweep.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def planning(root: Path) -> dict[str, Any]:
    """Seconds until 10,000 runs are checked and their steps printed."""
    file = written(root / "many.yaml", MANY)
    return median_of([command(root, "sweep", file, "--dry-run") for _ in range(ROUNDS)])


def status(root: Path) -> dict[str, Any]:
    """Seconds until the status of 10,000 runs that are all made is printed."""
    options = RunOptions(results_dir=root / "results", cache_dir=root / "cache")
    jobs = checked_grid(MANY, "benchmark").jobs()
    sweep = define_sweep(jobs, plan_sweep(jobs, options), options, "benchmark")
    folder = prepare_sweep(sweep.sweep_id, options, root / "sweeps")
    folder.create(sweep)
    done = StepState(status="done", attempts=1, worker="somewhere:1", started=now(), ended=now())
    for step in folder.read().plan.steps:
        (folder.root / "state" / f"{step.step_id}.json").write_text(done.model_dump_json())
    return median_of([command(root, "status") for _ in range(ROUNDS)])


def scaling(root: Path) -> dict[str, Any]:
    """Time of 16 equal runs on two workers as a part of that on one."""
    command(root, "sweep", written(root / "shared.yaml", {**EQUAL, "method": "retrain"}))
    seconds: dict[int, list[float]] = {1: [], 2: []}
    number = 0
    for _ in range(TURNS):
        for workers, taken in seconds.items():
            # A little unlike those before, so that nothing of theirs is found.
            rates = [1e-4 + 1e-8 * (number + one) for one in range(RUNS)]
            number += RUNS
            own = {"finetune": [{"lr": rate, "epochs": EPOCHS} for rate in rates]}
            file = written(root / "equal.yaml", {**EQUAL, "method": "finetune", "methods": own})
            taken.append(command(root, "sweep", file, "--workers", str(workers)))
            print(f"{workers} workers: {taken[-1]:.1f} s", flush=True)
    one, two = (statistics.median(taken) for taken in seconds.values())
    return {"seconds": [round(one, 1), round(two, 1)], "ratio": round(two / one, 3)}


def median_of(seconds: Sequence[float]) -> dict[str, Any]:
    """Return the figure of a command that was timed several times."""
    return {"median": round(statistics.median(seconds), 2)}


def written(path: Path, content: object) -> str:
    """Write a sweep file and return its path."""
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def command(root: Path, *words: str) -> float:
    """Seconds that a command takes."""
    folders = {f"MMULBENCH_{name.upper()}": str(root / name) for name in ("sweeps", "results", "cache")}
    environment = {**os.environ, **folders, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "mmulbench", *words],
        env=environment,
        cwd=root,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
