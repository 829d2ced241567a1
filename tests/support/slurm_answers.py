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
size=1
for word in "$@"; do
    case $word in --array=0-*) last=${word#--array=0-}; size=$((${last%%%*} + 1));; esac
done
room=$(cat "$0.room")
if [ "$size" -gt "$room" ]; then cat "$0.full" >&2; exit 1; fi
echo $((room - size)) > "$0.room"
echo "$number" > "$0.number"
for script in "$@"; do :; done
cp "$script" "$0.$number"
printf '%s\n' "$@" > "$0.$number.options"
env > "$0.$number.environment"
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
        self.make_room(1_000_000, "")

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

    def make_room(self, tasks: int, refusal: str) -> None:
        """Let sbatch take so many tasks, and refuse a larger array in these words."""
        (self._folder / "sbatch.room").write_text(str(tasks))
        (self._folder / "sbatch.full").write_text(refusal)

    def calls(self, name: str) -> list[str]:
        """The arguments of a command's calls."""
        path = self._folder / f"{name}.calls"
        return path.read_text().splitlines() if path.exists() else []

    def queue(self, *tasks: str, sweep: str = "1234abcd") -> None:
        """Let squeue answer with tasks of a sweep, such as ``1_0|RUNNING|None``."""
        self.say("squeue", "".join(f"{task}|/sweeps/{sweep}/slurm/submitted-1.sh\n" for task in tasks))

    def submitted(self) -> list[set[str]]:
        """The options of what sbatch took, in their order."""
        return [set(text.splitlines()[:-1]) for text in self._taken("options")]

    def environments(self) -> list[set[str]]:
        """The environments that sbatch had."""
        return [set(text.splitlines()) for text in self._taken("environment")]

    def scripts(self) -> list[str]:
        """The scripts that sbatch took."""
        found = [path for path in self._folder.glob("sbatch.*") if path.suffix[1:].isdigit()]
        return [path.read_text() for path in sorted(found, key=lambda path: int(path.suffix[1:]))]

    def _taken(self, suffix: str) -> list[str]:
        found = self._folder.glob(f"sbatch.*.{suffix}")
        return [
            path.read_text() for path in sorted(found, key=lambda path: int(path.stem.rpartition(".")[2]))
        ]

    def _write(self, name: str, script: str) -> None:
        (self._folder / name).write_text(script)
        (self._folder / name).chmod(0o755)
