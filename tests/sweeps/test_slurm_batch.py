"""One array of tasks: the options and the script that sbatch gets, and what is left when it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from slurm_answers import SlurmAnswers

from mmulbench.errors import UsageError
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.slurm_batch import JobArray, require_plain_path, require_slurm
from mmulbench.sweeps.slurm_commands import RefusedJobs

pytest.importorskip("submitit")

ONE, TWO, THREE = ("a" * 12, "b" * 12, "c" * 12)


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> SlurmAnswers:
    answers = SlurmAnswers(tmp_path / "bin")
    monkeypatch.setenv("PATH", answers.path)
    monkeypatch.delenv("SBATCH_EXPORT", raising=False)
    return answers


@pytest.fixture
def folder(tmp_path) -> SweepFolder:
    return SweepFolder(tmp_path / "50% done" / "1234abcd")


def files(folder: SweepFolder) -> list[str]:
    return sorted(path.name for path in (folder.root / "slurm").iterdir())


def test_an_array_gets_its_options(slurm, folder):
    given = {"time": "3", "parallel": "1", "mem": "512M", "exclusive": "true", "comment": "a 'b' $(c)"}
    tasks = JobArray(folder, [(ONE,), (TWO, THREE)], given, 5.0, ["7", "8"]).submit()
    assert [(task.job, task.steps) for task in tasks] == [("1_0", (ONE,)), ("1_1", (TWO, THREE))]
    assert slurm.submitted() == [
        {
            *("--job-name=mmulbench-1234abcd", "--time=3", "--nodes=1", "--signal=USR2@18", "--requeue"),
            *("--open-mode=append", "--array=0-1%1", "--dependency=afterany:7:8", "--mem=512M"),
            *("--exclusive", "--comment=a 'b' $(c)"),
            f"--output={folder.root.parent.parent}/50%% done/1234abcd/slurm/%A_%a_0_log.out",
        }
    ]
    assert [name for name in files(folder) if name.endswith(".pkl")] == [
        "1_0_submitted.pkl",
        "1_1_submitted.pkl",
    ]


def test_a_single_task_is_no_array(slurm, folder):
    (task,) = JobArray(folder, [(ONE, TWO)], {}).submit()
    assert task.job == "1"
    (options,) = slurm.submitted()
    assert not any(option.startswith("--array") for option in options)
    assert any(option.endswith("/%j_0_log.out") for option in options)
    assert "1_submitted.pkl" in files(folder)


def test_more_than_so_many_run_at_once_only_where_it_is_asked(slurm, folder):
    tasks = [(f"{number:012x}",) for number in range(300)]
    JobArray(folder, tasks, {}).submit()
    JobArray(folder, tasks, {"parallel": "1000"}).submit()
    first, second = slurm.submitted()
    assert "--array=0-299%256" in first and "--array=0-299%300" in second


def test_what_is_stored_starts_the_steps(slurm, folder):
    from submitit.helpers import DelayedSubmission

    JobArray(folder, [(ONE,), (TWO, THREE)], {"time": "7"}, 5.0).submit()
    stored = DelayedSubmission.load(folder.root / "slurm" / "1_1_submitted.pkl")
    steps = stored.function
    assert (steps.root, steps.step_ids, steps.timeout) == (str(folder.root), (TWO, THREE), 5.0)
    # Each of up to two steps may use its time up, and one time is spare.
    assert (stored._timeout_min, stored._timeout_countdown) == (7, 3)


def test_a_script_prepares_the_environment_and_starts_submitit(slurm, folder, monkeypatch):
    monkeypatch.setenv("MMULBENCH_CACHE", "/a b")
    given = {"export": "NONE", "setup": "module load cuda\nexport A=1", "cpus-per-task": "4"}
    JobArray(folder, [(ONE,)], given).submit()
    (script,) = slurm.scripts()
    lines = script.splitlines()
    assert lines[0] == "#!/bin/bash" and "export MMULBENCH_CACHE='/a b'" in lines
    assert lines.index("export MMULBENCH_CACHE='/a b'") < lines.index("module load cuda")
    assert lines.index("export A=1") < lines.index("export SUBMITIT_EXECUTOR=slurm")
    start = f"{sys.executable} -u -m submitit.core._submit '{folder.root}/slurm'"
    assert lines[-1].startswith("srun --unbuffered --export=ALL ") and lines[-1].endswith(start)
    assert " --cpus-per-task=4 " in lines[-1]
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    (options,) = slurm.submitted()
    assert "--export=NONE" in options and not any("setup" in option for option in options)


def test_a_default_of_what_is_exported_is_asked_for_as_an_option(slurm, folder, monkeypatch):
    monkeypatch.setenv("SBATCH_EXPORT", "NONE")
    monkeypatch.setenv("MMULBENCH_CACHE", "/cache")
    JobArray(folder, [(ONE,)], {}).submit()
    JobArray(folder, [(ONE,)], {"export": "ALL"}).submit()
    first, second = slurm.submitted()
    assert "--export=NONE" in first and "--export=ALL" in second
    assert ["MMULBENCH_CACHE" in script for script in slurm.scripts()] == [True, False]
    assert not any("SBATCH_EXPORT" in line for found in slurm.environments() for line in found)


def test_what_is_refused_leaves_nothing(slurm, folder):
    slurm.accept(0)
    with pytest.raises(RefusedJobs, match=r"^enough$"):
        JobArray(folder, [(ONE,), (TWO,)], {}).submit()
    assert files(folder) == []


def test_a_job_that_cannot_be_given_its_steps_is_ended(slurm, folder, monkeypatch):
    def fail(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(Exception, match="cannot write"):
        JobArray(folder, [(ONE,)], {}).submit()
    assert slurm.calls("scancel") == ["--quiet 1"]
    assert files(folder) == []


@pytest.mark.parametrize("name", ["a%jb", "%a", "%A", "x%t", "a\\b"])
def test_paths_that_slurm_would_change_are_refused(name, tmp_path):
    with pytest.raises(UsageError, match="choose another folder with --sweeps-dir"):
        require_plain_path(SweepFolder(tmp_path / name / "1234abcd"))
    require_plain_path(SweepFolder(tmp_path / "100%" / "50% done" / "1234abcd"))


def test_what_is_missing_is_named_with_how_to_install_it(slurm, monkeypatch, tmp_path):
    require_slurm()
    with monkeypatch.context() as patched:
        patched.setattr("mmulbench.sweeps.slurm_batch.find_spec", lambda _: None)
        with pytest.raises(
            UsageError, match=r'needs the package submitit: run pip install "mmulbench\[slurm\]"'
        ):
            require_slurm()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs Slurm's commands, and sbatch is not here"):
        require_slurm()
