"""A method and a task of an outside package, really installed, in a real run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def mmulbench(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "mmulbench", *words]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300)


def test_both_are_listed_beside_the_built_in_ones(site, tmp_path):
    methods = mmulbench(site, tmp_path, "list", "methods", "--json")
    tasks = mmulbench(site, tmp_path, "list", "tasks", "--json")
    assert "outside_method" in methods.stdout and "mmul" in methods.stdout, methods.stderr
    assert "A task that lives in another package." in tasks.stdout and "emoji" in tasks.stdout


def test_both_run(site, tmp_path):
    """The outside method and a built-in one on the outside task, with settings of all three kinds."""
    words = ["run", "-m", "outside_method", "-m", "mmul", "--task", "outside_task", "--json"]
    words += ["--set", "outside_method.weight=0.2", "--set", "mmul.epochs=1", "--set", "task.size=64"]
    done = mmulbench(site, tmp_path, *words, "--results-dir", "results", "--cache-dir", "cache")
    assert done.returncode == 0, done.stderr
    outside, mmul = json.loads(done.stdout)
    assert outside["spec"]["config"] == {"epochs": 1, "lr": 0.001, "batch_size": 16, "weight": 0.2}
    assert outside["spec"]["task_config"] == {"size": 64}
    assert outside["spec"]["forget_size"] == 3
    assert outside["status"] == mmul["status"] == "done"
    assert outside["values"]["retrain_gap"]["value"] is not None
    assert outside["cost"]["steps"] == 2
    files = [*(tmp_path / "results" / "outside_task" / "albef-tiny").glob("*/*.json")]
    assert sorted(file.parent.name for file in files) == ["mmul", "outside_method"]


def test_without_the_package_the_names_are_unknown(tmp_path):
    done = mmulbench(tmp_path, tmp_path, "run", "-m", "outside_method", "--task", "emoji")
    assert done.returncode == 2
    assert done.stderr.startswith("mmulbench: unknown method 'outside_method'")
    assert done.stderr.count("\n") == 1
