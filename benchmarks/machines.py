"""How far values move between machines: the same runs by other instructions and other numbers of threads.

A processor without the newest instructions rounds differently, and so do other numbers of threads; training
makes the difference larger. Each environment makes the same runs in a cache of its own. A value's move is the
distance between its smallest and its largest over the environments; beside it stands the noise floor of the
committed records, the distance of two retrains: six of them would range over about 2.25 times that. Nothing
is timed, so the machine may do something else.
Run: python benchmarks/machines.py
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import mmulbench

HERE = Path(__file__).parent
TASK, SEEDS = "hpo_pgr", (42, 87, 21)
METHODS = ("mmul", "scrub", "finetune")
VALUES = (
    "test",
    "retain",
    "forget",
    "mia/classification",
    "forget_vs_retain_auc/classification",
    "retrain_gap",
)
INSTRUCTIONS = {
    "this processor": {},
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "SSE4": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    },
}
THREADS = (1, 2)


def main() -> None:
    """Make the runs in each environment and write the record."""
    with tempfile.TemporaryDirectory() as name:
        tables = [made(Path(name), *environment) for environment in environments()]
    moves = {name: list(moved(tables, name)) for name in VALUES}
    record = {
        "torch": torch.__version__,
        "task": TASK,
        "methods": list(METHODS),
        "seeds": list(SEEDS),
        "environments": [
            f"{name}, {threads} thread{'s' * (threads > 1)}" for name, _, threads in environments()
        ],
        "moves": {
            name: {"median": round(statistics.median(found), 4), "largest": round(max(found), 4)}
            for name, found in moves.items()
        },
        "noise floor": {name: noise_floor(name) for name in VALUES},
    }
    text = json.dumps(record, indent=1)
    (HERE / "machines.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def environments() -> Iterator[tuple[str, dict[str, str], int]]:
    """Yield name, environment variables and number of threads of each."""
    for name, variables in INSTRUCTIONS.items():
        for threads in THREADS:
            yield name, variables, threads


def made(root: Path, name: str, variables: dict[str, str], threads: int) -> pd.DataFrame:
    """Make all runs in one environment, and return a row for each, by method and seed."""
    folder = root / f"{name}-{threads}".replace(" ", "-")
    words = [word for method in METHODS for word in ("--method", method)]
    words += [word for seed in SEEDS for word in ("--seed", str(seed))]
    folders = ["--cache-dir", str(folder / "cache"), "--results-dir", str(folder / "results")]
    print(f"{name}, {threads} threads", flush=True)
    subprocess.run(
        [sys.executable, "-m", "mmulbench", "run", "--task", TASK, "--untuned", *words, *folders],
        env={**os.environ, **variables, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return mmulbench.load_records(folder / "results", wide=True).set_index(["method", "seed"]).sort_index()


def moved(tables: list[pd.DataFrame], name: str) -> Iterator[float]:
    """Yield how far a value of each method and seed moves over the environments."""
    values = pd.concat([table[name] for table in tables], axis=1)
    yield from (values.max(axis=1) - values.min(axis=1)).tolist()


def noise_floor(name: str) -> float:
    """Return the mean distance of a value of two retrains in the committed records."""
    tidy: Any = mmulbench.load_records(HERE.parent / "results", task=TASK)
    own = tidy[(tidy.method == "retrain_again") & (tidy.metric == name)]
    distance = own.value if name == "retrain_gap" else (own.value - own.retrain).abs()
    return round(float(distance.mean()), 4)


if __name__ == "__main__":
    main()
