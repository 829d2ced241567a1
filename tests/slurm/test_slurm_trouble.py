"""What goes wrong on a cluster: whatever it is, after a retry every record is there exactly once."""

from __future__ import annotations

import os
import re
import signal
from functools import partial
from pathlib import Path

import pytest
from slurm_cluster import Cluster, until
from slurm_site import Site


def submit(site, words: list[str], *more: str) -> str:
    """Submit a sweep of one run and wait until it waits in the method; returns the id of its job."""
    done = site.run(*words, *more)
    assert done.code == 0, done.err
    assert re.search(r"submitted as Slurm jobs \d+, \d+; this terminal may be closed\n$", done.err)
    until(lambda: site.begun(), f"a run that has begun in {site.root}")
    return site.jobs().tasks[-1].job


def begun_times(site: Site, times: int) -> bool:
    return len(site.begun()) == times


def jobs_of(cluster: Cluster) -> set[str]:
    """The ids of the jobs that wait or run."""
    return set(cluster.say("squeue", "--noheader", "--format=%i").split())


def log_of_runs(site) -> str:
    return "".join(path.read_text() for path in site.sweeps.glob("*/logs/*.log"))


def test_without_its_driver_a_job_queued_again_goes_on_and_a_cancelled_one_costs_its_own_run(
    site, words, complete, cluster
):
    driver = site.start("run", *words[1:])
    until(lambda: list(site.sweeps.glob("*/slurm.json")) and len(site.jobs().tasks) == 3, "submitted jobs")
    driver.kill()
    until(partial(begun_times, site, 2), "both runs")
    _, cancelled, again = (task.job for task in site.jobs().tasks)
    cluster.say("scontrol", "requeue", again)
    until(partial(begun_times, site, 3), "the second start of one run")
    cluster.say("scancel", cancelled)
    until(lambda: "lost" in site.status()["counts"], "a lost step", every=1)
    site.go()
    status = site.until_over()
    assert status["counts"] == {"done": 2, "lost": 1}
    assert status["trouble"][0]["reason"].startswith(f"Slurm job {cancelled} is over (CANCELLED")
    assert log_of_runs(site).count("attempt 2: waiting_too on emoji") == 1
    assert log_of_runs(site).count("going on after step 1 of a training that was interrupted") == 1
    assert len(site.records()) == 1
    assert site.here("status").code == 1

    done = site.run("retry")
    assert done.code == 0, done.err
    complete()


def test_time_limits_only_interrupt_a_run_until_the_third_and_a_controller_that_starts_again_nothing(
    site, one_run, cluster
):
    job = submit(site, one_run, "--slurm", "time=2")  # minutes, several times what a busy machine takes
    until(partial(begun_times, site, 2), "the run's second start")
    assert log_of_runs(site).count("going on after step 1 of a training that was interrupted") == 1
    cluster.say("scontrol", "update", f"JobId={job}", "TimeLimit=60")  # the others come when they are to

    cluster.stop_controller()
    try:
        status = site.status()
    finally:
        cluster.start_controller()
    assert status["counts"] == {"done": 1, "running": 1}
    assert status["notes"][0].startswith("Slurm does not answer: ")

    cluster.say("scancel", "--signal=USR2", job)  # what Slurm sends before the limit
    until(partial(begun_times, site, 3), "the run's third start")
    cluster.say("scancel", "--signal=USR2", job)
    status = site.until_over()
    assert status["counts"] == {"done": 1, "failed": 1}
    wanted = "did not end within Slurm's time limit, although it was started 3 times: set a longer one"
    assert status["trouble"][0]["reason"].startswith(wanted)
    assert [record.status for record in site.records()] == ["failed"]


def test_a_driver_killed_while_it_submits_costs_a_retry_and_a_killed_worker_its_own_run(
    site, words, complete, cluster
):
    packed = [*words, "--pack", "2"]
    driver = site.start(*packed)
    until(lambda: list(site.sweeps.glob("*/slurm.json")), "the first submitted job", every=0.005)
    driver.kill()
    done = site.run(*packed)
    assert done.code == 0, done.err
    until(lambda: site.begun(), "the first run")
    os.kill(int(site.begun()[0].partition("-")[2]), signal.SIGKILL)
    site.go()
    status = site.until_over()
    assert status["counts"] == {"done": 2, "failed": 1}
    assert "its worker was ended by SIGKILL" in status["trouble"][0]["reason"]
    assert sorted(record.status for record in site.records()) == ["done", "failed"]

    ours = {task.job for task in site.jobs().tasks}
    until(lambda: jobs_of(cluster).isdisjoint(ours), "the end of a job that would count as one to make it")
    assert site.run("retry").code == 0
    complete()


def test_jobs_that_nobody_noted_and_those_of_a_cancelled_sweep_are_ended_and_retry_goes_on(
    site, one_run, complete
):
    submit(site, one_run)
    unnoted = {task.array for task in site.jobs().tasks}
    for noted in site.sweeps.glob("*/slurm.json"):
        noted.unlink()  # as if the driver had been killed between sbatch and its note
    done = site.run(*one_run)
    assert done.code == 0, done.err
    ended = re.search(r"ended Slurm jobs (.*), left by a submission that was cut off", done.err)
    assert ended is not None and set(ended[1].split(", ")) <= unnoted
    until(partial(begun_times, site, 2), "the run, begun anew")

    assert site.here("cancel").code == 0
    site.go()
    assert site.run("retry").code == 0  # while the job is being ended
    complete(runs=1)
    assert len(site.begun()) == 3


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("partition=nowhere", "invalid partition specified: nowhere"),
        ("mem_gb=100000", "Memory specification can not be satisfied"),
        ("gres=nothing:1", "Invalid generic resource (gres) specification"),
    ],
)
def test_wrong_settings_give_slurms_reason_and_leave_nothing(site, words, cluster, setting, reason):
    there = jobs_of(cluster)  # those of earlier tests may not have ended yet
    done = site.run(*words, "--slurm", setting)
    assert done.code == 1
    *_, line = done.err.splitlines()
    assert line.startswith("mmulbench: Slurm refused the jobs (")
    assert reason in line
    assert jobs_of(cluster) <= there
    assert not list(site.sweeps.glob("*/slurm.json"))


def test_without_slurm_it_says_what_to_install(site, words, monkeypatch):
    monkeypatch.setitem(site.environment, "PATH", str(Path("/nowhere")))
    done = site.run(*words)
    assert done.code == 2
    assert "needs Slurm's commands, and sbatch is not here" in done.err.splitlines()[-1]
