"""How far a GPU's values lie from the processor's, how much sooner they are there, and whether they repeat.

The same runs are made twice on the GPU and once on the processor, each time with a cache of their own. Two on
the GPU should agree bit for bit; those of another task, whose model attends instead of reading a graph, are
made for that alone. Beside the distance of GPU and processor stands the noise floor of the committed records,
the distance of two retrains, and among the runs is retrain, whose gap is 0 on both. Seconds are those that
records say retrain and the methods took, and those of the whole command; let the machine do nothing else
meanwhile, or say what it did.
Run: python benchmarks/gpu.py [--device cuda:0]
Inputs are prepared first, and count nowhere; a cache that has them saves that.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from machines import SEEDS, TASK, VALUES, noise_floor  # type: ignore[import-not-found]

import mmulbench

HERE = Path(__file__).parent
METHODS = ("retrain", "mmul", "scrub", "finetune", "kga", "grad_diff")
RUNS = ("--task", TASK, *(word for name in METHODS for word in ("--method", name)))
"""The runs of which all is recorded; without settings, so that they are those of the committed records."""

REPEATED = (
    *("--task", "emoji", "--backbone", "albef:small", "--method", "mmul,finetune,kga", "--forget-size", "16"),
    *("--set", "task.limit=300", "--set", "recipe.epochs=12"),
)
"""Runs that are made twice on the GPU, to see whether they agree."""

COMPARED = ("values", "by_unit", "histograms")
"""What must be the same in two records of the same run."""


def main() -> None:
    """Make the runs and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--seed", type=int, action="append", help="one or more instead of the usual three")
    parser.add_argument("--cache-dir", type=Path, help="a cache that may have the task's inputs")
    parser.add_argument("--meanwhile", default="nothing", help="what else the machine does")
    parser.add_argument("--write", type=Path, default=HERE / "gpu.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        inputs = options.cache_dir or Path(name, "inputs")
        command("data", "prepare", TASK, "--cache-dir", str(inputs))
        found = measured(Path(name), inputs, options.device, options.seed or SEEDS)
        found["two GPU runs differ in"]["emoji, albef:small"] = repeated(Path(name), options.device)
    text = json.dumps({**found, "meanwhile": options.meanwhile}, indent=1)
    options.write.write_text(text + "\n", encoding="utf-8")
    print(text)


def measured(root: Path, inputs: Path, device: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Make all runs, and return what is to be recorded of them."""
    turns = {"gpu": device, "gpu again": device, "processor": "cpu"}
    for turn in turns:
        shutil.copytree(inputs / "features", root / turn / "cache" / "features")
    words = [*RUNS, *(word for seed in seeds for word in ("--seed", str(seed)))]
    commands = {turn: made(root / turn, wanted, words) for turn, wanted in turns.items()}
    gpu, again = (records(root / turn) for turn in ("gpu", "gpu again"))
    table, base = wide(root / "gpu"), wide(root / "processor")
    place = gpu[METHODS[0], seeds[0]]["environment"]
    return {
        "device": place["device"],
        "processor": f"{place['cpu']}, {place['threads']} threads",
        "torch": torch.__version__,
        "task": TASK,
        "methods": list(METHODS),
        "seeds": list(seeds),
        "two GPU runs differ in": {TASK: differing(gpu, again)},
        "seconds, GPU / processor": {
            "whole command": round(commands["gpu"] / commands["processor"], 3),
            **{name: ratio(table, base, name, "cost.seconds") for name in METHODS},
        },
        "floating-point operations, GPU / processor": {
            name: ratio(table, base, name, "cost.flops") for name in METHODS
        },
        "seconds on the GPU": {name: median(table, name, "cost.seconds") for name in METHODS},
        "peak MiB on the GPU": {name: median(table, name, "cost.peak_memory_mb") for name in METHODS},
        "distance of GPU and processor": {name: distance(table[name] - base[name]) for name in VALUES},
        "noise floor": {name: noise_floor(name) for name in VALUES},
    }


def repeated(root: Path, device: str) -> list[str]:
    """Make the runs of `REPEATED` twice, and return those that differ."""
    turns = ("emoji", "emoji again")
    for turn in turns:
        made(root / turn, device, REPEATED)
    return differing(*(records(root / turn) for turn in turns))


def made(folder: Path, device: str, words: Sequence[str]) -> float:
    """Make runs on one device, and return the seconds of the whole command."""
    folders = ["--cache-dir", str(folder / "cache"), "--results-dir", str(folder / "results")]
    print(f"{folder.name}: {device}", file=sys.stderr, flush=True)
    start = time.perf_counter()
    command("run", "--device", device, *words, *folders)
    return time.perf_counter() - start


def command(*words: str) -> None:
    """Run a command of mmulbench without its table."""
    subprocess.run(
        [sys.executable, "-m", "mmulbench", *words],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def records(folder: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Return the records of a folder by method and seed."""
    files = (json.loads(path.read_text(encoding="utf-8")) for path in (folder / "results").rglob("*-*.json"))
    return {(one["spec"]["method"], one["spec"]["seed"]): one for one in files if "spec" in one}


def wide(folder: Path) -> pd.DataFrame:
    """Return a row for each record, by method and seed."""
    found = mmulbench.load_records(folder / "results", wide=True)
    return found.set_index(["method", "seed"]).sort_index()


def differing(one: dict[Any, dict[str, Any]], other: dict[Any, dict[str, Any]]) -> list[str]:
    """Return the runs whose records differ in more than time: method and seed of each."""
    return [
        f"{method}, seed {seed}"
        for (method, seed), record in one.items()
        if any(record[part] != other[method, seed][part] for part in COMPARED)
    ]


def ratio(table: pd.DataFrame, base: pd.DataFrame, method: str, column: str) -> float:
    """Return the median over seeds of a method's ratio of the GPU to the processor."""
    return round(statistics.median(table.loc[method][column] / base.loc[method][column]), 3)


def median(table: pd.DataFrame, method: str, column: str) -> float:
    """Return the median over seeds."""
    return round(statistics.median(table.loc[method][column]), 2)


def distance(differences: pd.Series) -> dict[str, float]:
    """Return the median and the largest size of the differences of all runs."""
    sizes = differences.abs().tolist()
    return {"median": round(statistics.median(sizes), 4), "largest": round(max(sizes), 4)}


if __name__ == "__main__":
    main()
