"""Submit one array of tasks to Slurm: its options, its script, and what submitit starts in its tasks."""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from mmulbench.errors import UsageError
from mmulbench.files import disk_errors
from mmulbench.sweeps.folder import SWEEPS_FLAG, SweepFolder
from mmulbench.sweeps.setup_lines import guarded_lines
from mmulbench.sweeps.slurm_commands import sbatch
from mmulbench.sweeps.slurm_environment import export_lines, export_setting
from mmulbench.sweeps.slurm_jobs import LOGS, SlurmTask, cancel_jobs
from mmulbench.sweeps.slurm_settings import MINUTES
from mmulbench.sweeps.slurm_task import SlurmSteps

SPARE_STARTS = 1
"""Number of times a task may reach its time limit, besides once for each step, before it is given up."""

AT_ONCE = 256
"""Number of tasks of an array that run at once, unless ``parallel`` is given."""

LAUNCHER = "submitit.core._submit"
"""Module that a task starts: it loads what was submitted, and puts the task into the queue again."""

_REPLACED = re.compile(r"%[jtAa]|\\")


@dataclass(frozen=True)
class JobArray:
    """Describes the tasks of one array.

    Attributes:
        folder: folder of the sweep.
        tasks: ids of the steps of each task.
        settings: options as ``sbatch`` names them; ``time`` in minutes, ``parallel`` and ``setup``.
        timeout: seconds that a step may take.
        after: ids of the arrays that have to end before.
    """

    folder: SweepFolder
    tasks: Sequence[Sequence[str]]
    settings: Mapping[str, str]
    timeout: float | None = None
    after: Sequence[str] = field(default=())

    @property
    def place(self) -> Path:
        """Folder of scripts, of what is to be started, and of what the jobs print."""
        return (self.folder.root / LOGS).resolve()

    @property
    def minutes(self) -> int:
        """Time limit of a task."""
        return int(self.settings.get("time", MINUTES))

    def submit(self) -> list[SlurmTask]:
        """Submit the array, and return its tasks.

        Raises:
            RefusedJobs: Slurm refuses it; nothing is left of it.
            MmulbenchError: The sweep's folder cannot be written.
        """
        name = secrets.token_hex(8)
        script = self.place / f"submitted-{name}.sh"
        with disk_errors("write", self.place, SWEEPS_FLAG), ExitStack() as failure:
            self.place.mkdir(parents=True, exist_ok=True)
            failure.callback(script.unlink, missing_ok=True)
            script.write_text(self._script(), encoding="utf-8", errors="surrogateescape")
            stored = [self.place / f"{name}-{number}.pkl" for number in range(len(self.tasks))]
            for steps, path in zip(self.tasks, stored, strict=True):
                failure.callback(path.unlink, missing_ok=True)
                self._store(steps, path)
            array = sbatch([*self._options(), str(script)])
            failure.callback(cancel_jobs, [array])
            found = list(self._begun(array, stored))
            failure.pop_all()
        return found

    def _store(self, steps: Sequence[str], path: Path) -> None:
        """Store what a task starts."""
        from submitit.helpers import DelayedSubmission

        delayed = DelayedSubmission(SlurmSteps(str(self.folder.root), steps, self.timeout))
        size = max(len(one) for one in self.tasks)
        delayed.set_timeout(self.minutes, size + SPARE_STARTS)
        delayed.dump(path)

    def _begun(self, array: str, stored: Sequence[Path]) -> Iterator[SlurmTask]:
        """Put what the tasks start where submitit waits for it, and yield the tasks."""
        from submitit.core.utils import JobPaths

        for number, (steps, path) in enumerate(zip(self.tasks, stored, strict=True)):
            job = array if len(self.tasks) == 1 else f"{array}_{number}"
            path.rename(JobPaths(self.place, job_id=job).submitted_pickle)
            yield SlurmTask(job=job, steps=tuple(steps))

    def _options(self) -> list[str]:
        """Return the options of sbatch, which take the place of a user's variables."""
        others = {
            key: value
            for key, value in self.settings.items()
            if key not in ("time", "parallel", "setup", "job-name", "requeue")
        }
        count = len(self.tasks)
        at_once = min(count, int(self.settings.get("parallel", AT_ONCE)))
        export = export_setting(self.settings)
        return [
            f"--job-name={self.settings.get('job-name', f'mmulbench-{self.folder.sweep_id}')}",
            f"--time={self.minutes}",
            "--nodes=1",
            # Enough to put the job into the queue again, and not all of a short limit.
            f"--signal=USR2@{max(5, min(90, 6 * self.minutes))}",
            "--requeue",
            "--open-mode=append",
            f"--output={self._log('0')}",
            *([f"--array=0-{count - 1}%{at_once}"] if count > 1 else []),
            *([f"--dependency=afterany:{':'.join(self.after)}"] if self.after else []),
            *([f"--export={export}"] if export is not None and "export" not in others else []),
            *(f"--{key}" if value == "true" else f"--{key}={value}" for key, value in others.items()),
        ]

    def _script(self) -> str:
        """Return the script of the tasks."""
        command = ["srun", "--unbuffered", "--export=ALL", "--open-mode=append"]
        command.append(f"--output={self._log('%t')}")
        if "cpus-per-task" in self.settings:  # since Slurm 22.05 srun does not take it over from sbatch
            command.append(f"--cpus-per-task={self.settings['cpus-per-task']}")
        command += [sys.executable, "-u", "-m", LAUNCHER, str(self.place)]
        lines = [
            "#!/bin/bash",
            *export_lines(export_setting(self.settings)),
            *guarded_lines(self.settings.get("setup", "")),
            "export SUBMITIT_EXECUTOR=slurm",
            shlex.join(command),
        ]
        return "\n".join([*lines, ""])

    def _log(self, task: str) -> str:
        """Return the pattern of the files of what the tasks print, as Slurm reads it."""
        job = "%j" if len(self.tasks) == 1 else "%A_%a"
        return f"{str(self.place).replace('%', '%%')}/{job}_{task}_log.out"


def require_plain_path(folder: SweepFolder) -> None:
    """Check that Slurm and submitit take the path of a sweep's folder as it is.

    Raises:
        UsageError: It has signs that they replace.
    """
    if found := _REPLACED.search(str(folder.root)):
        raise UsageError(
            f"Slurm does not take {found[0]} in {folder.root} as it is: choose another folder with "
            f"{SWEEPS_FLAG}"
        )


def require_slurm() -> None:
    """Check that this machine can submit jobs.

    Raises:
        UsageError: Slurm's commands or submitit are not installed.
    """
    needed = ("sbatch", "srun", "squeue", "scancel", "scontrol")
    if missing := [name for name in needed if shutil.which(name) is None]:
        raise UsageError(
            f"--executor slurm needs Slurm's commands, and {missing[0]} is not here: run it on a login node "
            "of the cluster (Debian and Ubuntu have them in the package slurm-client)"
        )
    if find_spec("submitit") is None:
        raise UsageError('--executor slurm needs the package submitit: run pip install "mmulbench[slurm]"')
