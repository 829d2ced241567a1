"""The package that the documentation shows adds a method and a task once it is installed."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
from mmulbench import METHODS, TASKS
print(METHODS.get("my_method").__module__, TASKS.get("my_task").__module__)
"""


def test_the_documented_package_adds_both(site):
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["my_package.my_method", "my_package.my_task"], done.stderr
