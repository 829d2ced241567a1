"""What Slurm's commands and a job's steps get of the environment."""

from __future__ import annotations

import os
import subprocess

import pytest

from mmulbench.sweeps.slurm_environment import clean_environment, export_lines, export_setting

# What `salloc --mem-per-cpu=300M env` adds to the environment on Slurm 22.05.8, and what a user may have set.
ALLOCATION = {
    "SLURM_JOB_ID": "7",
    "SLURM_JOBID": "7",
    "SLURM_MEM_PER_CPU": "300",
    "SLURM_JOB_NODELIST": "node1",
    "SLURM_NTASKS": "1",
    "SLURM_TASKS_PER_NODE": "1",
    "SLURM_CLUSTER_NAME": "ci",
    "SLURM_SUBMIT_DIR": "/home",
}


@pytest.fixture(autouse=True)
def outside(monkeypatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SLURM", "SBATCH")):
            monkeypatch.delenv(name)


def test_nothing_of_the_job_around_is_left(monkeypatch):
    for name, value in ALLOCATION.items():
        monkeypatch.setenv(name, value)
    for name in ("SBATCH_MEM_BIND", "SUBMITIT_EXECUTOR", "CUDA_VISIBLE_DEVICES", "WORLD_SIZE", "SRUN_DEBUG"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    monkeypatch.setenv("MINE", "kept")
    found = clean_environment()
    assert [name for name in found if "SLURM" in name] == ["SLURM_CONF"]
    assert found["MINE"] == "kept"
    left = {"SBATCH_MEM_BIND", "SUBMITIT_EXECUTOR", "CUDA_VISIBLE_DEVICES", "WORLD_SIZE", "SRUN_DEBUG"}
    assert not left & found.keys()


def test_what_is_no_jobs_stays(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("SBATCH_ACCOUNT", "vision")
    monkeypatch.setenv("SLURM_CLUSTERS", "b")
    monkeypatch.setenv("SBATCH_TIMELIMIT", "1")
    monkeypatch.setenv("SQUEUE_USERS", "somebody")
    found = clean_environment()
    assert (found["CUDA_VISIBLE_DEVICES"], found["SBATCH_ACCOUNT"], found["SLURM_CLUSTERS"]) == (
        "0",
        "vision",
        "b",
    )
    assert not {"SBATCH_TIMELIMIT", "SQUEUE_USERS"} & found.keys()


def test_the_option_says_what_is_exported_before_the_variable(monkeypatch):
    assert export_setting({}) is None
    monkeypatch.setenv("SBATCH_EXPORT", "NONE")
    assert export_setting({}) == "NONE"
    assert export_setting({"export": "ALL"}) == "ALL"


@pytest.mark.parametrize("setting", [None, "ALL", "all", "A=1,ALL"])
def test_where_all_is_exported_nothing_is_said_again(setting, monkeypatch):
    monkeypatch.setenv("MMULBENCH_CACHE", "/cache")
    assert export_lines(setting) == []


@pytest.mark.parametrize("setting", ["NONE", "NIL", "A=1,B"])
def test_where_not_all_is_exported_a_shell_gives_what_steps_read(setting, monkeypatch):
    monkeypatch.setenv("MMULBENCH_CACHE", "/a folder/it's $HOME")
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("MINE", "1")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    lines = export_lines(setting)
    assert "export OPENBLAS_CORETYPE=Haswell" in lines
    assert not any("secret" in line or "MINE" in line for line in lines)
    script = "\n".join([*lines, 'printf %s "$MMULBENCH_CACHE"'])
    done = subprocess.run(["bash", "-c", script], env={}, capture_output=True, text=True, check=True)
    assert done.stdout == "/a folder/it's $HOME"
