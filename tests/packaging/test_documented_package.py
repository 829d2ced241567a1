"""The package that the documentation shows adds a method, a task and a metric once it is installed."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
from mmulbench import METHODS, METRICS, TASKS
found = METHODS.get("my_method"), TASKS.get("my_task"), METRICS.get("my_metric")
print(*(cls.__module__ for cls in found))
"""


def test_the_documented_package_adds_all(site):
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    expected = [f"my_package.my_{kind}" for kind in ("method", "task", "metric")]
    assert done.stdout.split() == expected, done.stderr
