"""Commands by the names of Slurm's that answer what a test has written down; no Slurm is needed."""

from __future__ import annotations

import os
from pathlib import Path

COMMAND = """#!/bin/sh
echo "$@" >> "$0.calls"
cat "$0.err" >&2
cat "$0.out"
exit "$(cat "$0.code")"
"""

SBATCH = """#!/bin/sh
number=$(($(cat "$0.number" 2>/dev/null || echo 0) + 1))
if [ "$number" -gt "$(cat "$0.largest")" ]; then echo "sbatch: error: enough" >&2; exit 1; fi
echo "$number" > "$0.number"
for script in "$@"; do :; done
cp "$script" "$0.$number"
echo "Submitted batch job $number"
"""


class SlurmAnswers:
    """A folder of such commands, which comes first on PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        for name in ("squeue", "sacct", "scancel", "scontrol", "srun"):
            self.say(name, "")
        self._write("sbatch", SBATCH)
        self.accept(100)

    @property
    def path(self) -> str:
        return f"{self._folder}{os.pathsep}{os.environ['PATH']}"

    def say(self, name: str, out: str, *, err: str = "", code: int = 0) -> None:
        """Let a command answer from now on."""
        self._write(name, COMMAND)
        for suffix, text in (("out", out), ("err", err), ("code", str(code))):
            (self._folder / f"{name}.{suffix}").write_text(text)

    def accept(self, jobs: int) -> None:
        """Let sbatch refuse everything after so many jobs."""
        (self._folder / "sbatch.largest").write_text(str(jobs))

    def calls(self, name: str) -> list[str]:
        """The arguments of a command's calls."""
        path = self._folder / f"{name}.calls"
        return path.read_text().splitlines() if path.exists() else []

    def submitted(self) -> list[set[str]]:
        """The options in the scripts that sbatch took, in their order."""
        scripts = sorted(self._folder.glob("sbatch.[0-9]*"), key=lambda path: int(path.suffix[1:]))
        return [
            {line.removeprefix("#SBATCH ") for line in path.read_text().splitlines() if "#SBATCH" in line}
            for path in scripts
        ]

    def _write(self, name: str, script: str) -> None:
        (self._folder / name).write_text(script)
        (self._folder / name).chmod(0o755)
