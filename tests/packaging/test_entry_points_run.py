"""A method and a task of an outside package, really installed, in a real run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "data" / "outside_package"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    site = tmp_path_factory.mktemp("outside") / "site"
    source = site.parent / "source"
    # A copy, since building leaves files beside the source.
    for file in [PACKAGE / "pyproject.toml", *PACKAGE.glob("mmul_outside/*.py")]:
        target = source / file.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site), str(source)]
    subprocess.run(command, check=True, timeout=120)
    return site


def mmulbench(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "mmulbench", *words]
    return subprocess.run(
        command, env=environment, cwd=installed.parent, capture_output=True, text=True, timeout=300
    )


def test_both_are_listed_beside_the_built_in_ones(installed):
    methods = mmulbench(installed, "list", "methods", "--json")
    tasks = mmulbench(installed, "list", "tasks", "--json")
    assert "outside_method" in methods.stdout and "mmul" in methods.stdout, methods.stderr
    assert "A task that lives in another package." in tasks.stdout and "emoji" in tasks.stdout


def test_both_run(installed):
    """The outside method and a built-in one on the outside task, with settings of all three kinds."""
    words = ["run", "-m", "outside_method", "-m", "mmul", "--task", "outside_task", "--json"]
    words += ["--set", "outside_method.weight=0.2", "--set", "mmul.epochs=1", "--set", "task.size=64"]
    done = mmulbench(installed, *words, "--results-dir", "results", "--cache-dir", "cache")
    assert done.returncode == 0, done.stderr
    outside, mmul = json.loads(done.stdout)
    assert outside["spec"]["config"] == {"epochs": 1, "lr": 0.001, "batch_size": 16, "weight": 0.2}
    assert outside["spec"]["task_config"] == {"size": 64}
    assert outside["spec"]["forget_size"] == 3
    assert outside["status"] == mmul["status"] == "done"
    assert outside["values"]["retrain_gap"]["value"] is not None
    assert outside["cost"]["steps"] == 2
    files = [*(installed.parent / "results" / "outside_task" / "albef-tiny").glob("*/*.json")]
    assert sorted(file.parent.name for file in files) == ["mmul", "outside_method"]


def test_without_the_package_the_names_are_unknown(tmp_path):
    done = mmulbench(tmp_path, "run", "-m", "outside_method", "--task", "emoji")
    assert done.returncode == 2
    assert done.stderr.startswith("mmulbench: unknown method 'outside_method'")
    assert done.stderr.count("\n") == 1
