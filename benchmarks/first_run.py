"""How long a newcomer waits: first run, next method, --help and list; and peak memory.

Each command runs in a process of its own, as a user runs it. Run: python benchmarks/first_run.py
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ALLOWED = {"first run": 300.0, "next method": 60.0, "--help": 1.0, "list": 1.0}


def timed(folder: Path, *arguments: str) -> tuple[float, float]:
    """Return the wall seconds and the peak memory (MiB) of one command.

    Raises:
        SystemExit: The command failed.
    """
    environment = {
        **os.environ,
        "MMULBENCH_CACHE": str(folder / "cache"),
        "MMULBENCH_RESULTS": str(folder / "results"),
    }
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mmulbench", *arguments], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"mmulbench {' '.join(arguments)} ended with {status}")
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and write the record."""
    commands = {
        "first run": ("run", "--method", "mmul", "--task", "emoji", "--quiet"),
        "next method": ("run", "--method", "scrub", "--task", "emoji", "--quiet"),
        "--help": ("--help",),
        "list": ("list", "methods"),
    }
    with tempfile.TemporaryDirectory() as folder:
        measured = {name: timed(Path(folder), *arguments) for name, arguments in commands.items()}
    record = {
        "what": "whole commands from process start to end, empty cache before the first",
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "seconds": {name: round(seconds, 2) for name, (seconds, _) in measured.items()},
        "ratio to what is allowed": {
            name: round(seconds / ALLOWED[name], 3) for name, (seconds, _) in measured.items()
        },
        "peak memory (MiB)": {name: round(memory) for name, (_, memory) in measured.items()},
        "allowed": {**ALLOWED, "peak memory (MiB)": 2048},
    }
    text = json.dumps(record, indent=1)
    (HERE / "first_run.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
