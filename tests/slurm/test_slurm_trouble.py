"""What goes wrong on a cluster: whatever it is, after a retry every record is there exactly once."""

from __future__ import annotations

import os
import re
import signal
from functools import partial
from pathlib import Path

import pytest
from slurm_cluster import until
from slurm_site import Site


def submit(site, words: list[str], *more: str, begun: int = 2) -> list[str]:
    """Submit the sweep and wait until runs wait in the method; returns the ids of the runs' jobs."""
    done = site.run(*words, *more)
    assert done.code == 0, done.err
    assert re.search(r"submitted as Slurm jobs \d+, \d+; this terminal may be closed\n$", done.err)
    until(lambda: len(site.begun()) == begun, f"{begun} runs that have begun in {site.root}")
    return [task.job for task in site.jobs().tasks[-2:]]


def log_of_runs(site) -> str:
    return "".join(path.read_text() for path in site.sweeps.glob("*/logs/*.log"))


def test_a_job_that_is_queued_again_goes_on(site, words, complete, cluster):
    job, _ = submit(site, words)
    cluster.say("scontrol", "requeue", job)
    until(lambda: len(site.begun()) == 3, "the run's second start")
    site.go()
    complete()
    assert log_of_runs(site).count("attempt 2: waiting on emoji") == 1
    assert log_of_runs(site).count("going on after step 1 of a training that was interrupted") == 1


def test_a_task_that_is_cancelled_costs_its_own_run_until_a_retry(site, words, complete, cluster):
    job, _ = submit(site, words)
    cluster.say("scancel", job)
    until(lambda: "lost" in site.status()["counts"], "a lost step")
    site.go()
    status = site.until_over()
    assert status["counts"] == {"done": 3, "lost": 1}
    assert status["trouble"][0]["reason"].startswith(f"Slurm job {job} is over (CANCELLED")
    assert len(site.records()) == 1
    assert site.here("status").code == 1

    done = site.run("retry")
    assert done.code == 0, done.err
    complete()


def test_a_time_limit_in_mid_run_only_interrupts_it(site, words, complete):
    submit(site, words, "--slurm", "time=1")
    until(lambda: len(site.begun()) == 4, "the second start of both runs")
    site.go()
    complete()
    assert log_of_runs(site).count("going on after step 1 of a training that was interrupted") == 2


def begun_times(site: Site, times: int) -> bool:
    return len(site.begun()) == times


def test_a_run_that_never_fits_its_time_limit_fails(site, words, cluster):
    job, _ = submit(site, words, "--slurm", "time=5")
    for starts in (3, 4):
        cluster.say("scancel", "--signal=USR2", job)  # what Slurm sends before the limit
        until(partial(begun_times, site, starts), f"begun {starts} times in all")
    cluster.say("scancel", "--signal=USR2", job)
    until(lambda: "failed" in site.status()["counts"], "a failed run")
    site.go()
    status = site.until_over()
    assert status["counts"] == {"done": 3, "failed": 1}
    wanted = "did not end within Slurm's time limit, although it was started 3 times: set a longer one"
    assert status["trouble"][0]["reason"].startswith(wanted)
    assert sorted(record.status for record in site.records()) == ["done", "failed"]


def test_a_controller_that_starts_again_changes_nothing(site, words, complete, cluster):
    submit(site, words)
    cluster.stop_controller()
    try:
        status = site.status()
    finally:
        cluster.start_controller()
    assert status["counts"] == {"done": 2, "running": 2}
    assert status["notes"][0].startswith("Slurm does not answer: ")
    site.go()
    complete()


def test_a_driver_that_is_killed_changes_nothing(site, words, complete):
    driver = site.start(*words, "--pack", "30m")  # nothing is known of them yet, so each has a task
    until(lambda: list(site.sweeps.glob("*/slurm.json")) and len(site.jobs().tasks) == 4, "submitted jobs")
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    site.go()
    complete()


def test_a_driver_that_is_killed_while_it_submits_costs_a_retry(site, words, complete):
    driver = site.start(*words)
    until(lambda: list(site.sweeps.glob("*/slurm.json")), "the first submitted jobs")
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    site.go()
    done = site.run(*words)
    assert done.code == 0, done.err
    complete()


def test_a_killed_worker_costs_its_own_run_and_not_what_is_packed_with_it(site, words, complete):
    assert site.run(*words, "--pack", "2").code == 0
    until(lambda: len(site.begun()) == 1, "the first run")
    os.kill(int(site.begun()[0].partition("-")[2]), signal.SIGKILL)
    site.go()
    status = site.until_over()
    assert status["counts"] == {"done": 3, "failed": 1}
    assert "its worker was ended by SIGKILL" in status["trouble"][0]["reason"]
    assert sorted(record.status for record in site.records()) == ["done", "failed"]

    assert site.run("retry").code == 0
    complete()


def test_cancel_ends_the_jobs_and_retry_goes_on(site, words, complete):
    submit(site, words)
    assert site.here("cancel").code == 0
    site.go()
    assert site.run("retry").code == 0  # while the jobs are being ended
    complete()
    assert len(site.begun()) == 4


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("partition=nowhere", "invalid partition specified: nowhere"),
        ("mem_gb=100000", "Memory specification can not be satisfied"),
        ("gres=nothing:1", "Invalid generic resource (gres) specification"),
    ],
)
def test_wrong_settings_give_slurms_reason_and_leave_nothing(site, words, cluster, setting, reason):
    done = site.run(*words, "--slurm", setting)
    assert done.code == 1
    *_, line = done.err.splitlines()
    assert line.startswith("mmulbench: Slurm refused the jobs (")
    assert reason in line
    assert cluster.say("squeue", "--noheader") == ""
    assert not list(site.sweeps.glob("*/slurm.json"))


def test_without_slurm_it_says_what_to_install(site, words, monkeypatch):
    monkeypatch.setitem(site.environment, "PATH", str(Path("/nowhere")))
    done = site.run(*words)
    assert done.code == 2
    assert "needs Slurm's commands, and sbatch is not here" in done.err.splitlines()[-1]


def test_run_goes_to_slurm_too(site, words, complete):
    done = site.run("run", *words[1:])
    assert done.code == 0, done.err
    site.go()
    complete()
