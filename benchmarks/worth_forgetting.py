"""Whether a task is worth forgetting: what an attack finds of the original, and on how many units.

A task whose original does not remember its training pairs tells no method from doing nothing, and on a forget
set of few units no attack can be judged. So each task is run once, cold, with its default forget set (and the
small ones with a larger one besides), and what original and retrain reach is noted. The path that is noted is
the one on which the original gives most away. Nothing is timed, so the machine may do something else.
Run: python benchmarks/worth_forgetting.py [TASK …]    (only these; MMULBENCH_DATA names the folder with pgr)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import mmulbench
from mmulbench.records.schema import RunResult, Value

HERE = Path(__file__).parent
RECORD = HERE / "worth_forgetting.json"
SEED = 42
SIZES: dict[str, tuple[int | None, ...]] = {
    "emoji_nlvr": (None,),
    "hpo_gdpr": (None,),
    "pgr": (None,),
    "flags": (None, 60),
    "flags_ve": (None, 60),
}
"""Forget sizes by task; None is the task's own."""


def main() -> None:
    """Measure the tasks that are asked for, and write the record."""
    asked = sys.argv[1:] or [*SIZES]
    known = json.loads(RECORD.read_text(encoding="utf-8"))["tasks"] if RECORD.exists() else {}
    for task in asked:
        with tempfile.TemporaryDirectory() as name:
            known[task] = [noted(run(task, size, Path(name))) for size in SIZES[task]]
    record = {"seed": SEED, "tasks": {task: known[task] for task in SIZES if task in known}}
    text = json.dumps(record, indent=1)
    RECORD.write_text(text + "\n", encoding="utf-8")
    print(text)


def run(task: str, size: int | None, root: Path) -> RunResult:
    """Run the original of a task beside retrain; another size of the task finds the original in the cache."""
    print(task, size or "default", flush=True)
    sizes = [] if size is None else ["--forget-size", str(size)]
    words = ["--task", task, "--method", "original", "--seed", str(SEED), "--device", "cpu", *sizes]
    results = root / f"results-{size}"
    folders = ["--cache-dir", str(root / "cache"), "--results-dir", str(results)]
    subprocess.run(
        [sys.executable, "-m", "mmulbench", "run", *words, *folders],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (file,) = results.rglob("*.json")
    return RunResult.model_validate_json(file.read_text(encoding="utf-8"))


def noted(record: RunResult) -> dict[str, Any]:
    """Return what a record says of original and retrain."""
    attacks = [name for name in record.values if name.startswith("mia/") and name.count("/") == 1]
    worst = max(attacks, key=lambda name: record.values[name].original or 0.0)
    names = {"attack": worst, "test": "test", "retain": "retain", "forget": "forget"}
    return {
        "forget units": record.spec.forget_size,
        "training units": training_units(record.spec.task),
        "path": worst.removeprefix("mia/"),
        **{what: both(record.values[name]) for what, name in names.items()},
        "chance": round(record.values["test"].chance or 0.0, 3),
        "processor": record.environment.cpu,
        "torch": record.environment.packages["torch"],
    }


def both(value: Value) -> dict[str, float]:
    """Return a value of original and of retrain."""
    assert value.original is not None and value.retrain is not None
    return {"original": round(value.original, 3), "retrain": round(value.retrain, 3)}


def training_units(task: str) -> int:
    """Return how many units of a task there are to forget."""
    info = mmulbench.TASKS.get(task).info
    units = info.sizes["train"][0] if info is not None else None
    assert units is not None, f"{task} does not say its sizes"
    return units


if __name__ == "__main__":
    main()
