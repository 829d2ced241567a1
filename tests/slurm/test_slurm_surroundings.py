"""Where a sweep is submitted from, and what else is in the queue, changes nothing."""

from __future__ import annotations

import shlex

from sweep_toys import make_sweep

from mmulbench.sweeps.slurm_commands import this_cluster
from mmulbench.sweeps.slurm_jobs import SlurmJobs, SlurmTask, write_jobs
from mmulbench.sweeps.status_commands import cancel


def test_a_sweep_from_inside_a_job_without_its_environment_and_held(site, wanted, words, complete, cluster):
    # Memory for each CPU, which the job around has, and memory of a job exclude each other.
    inside = ["salloc", "--quiet", "--mem-per-cpu=300M"]
    more = ["mem_gb=0.6", "export=NONE", "hold=true", f"setup=export WAITING={shlex.quote(str(site.root))}"]
    options = [word for setting in more for word in ("--slurm", setting)]
    done = site.run(*words, *options, "--pack", "2", before=inside)
    assert done.code == 0, done.err
    assert [len(task.steps) for task in site.jobs().tasks] == [1, 2]

    # All that waits is held, or waits for what is.
    shown = site.here("status", "--watch")
    assert shown.code == 1
    (stuck,) = site.status()["stuck"]
    assert stuck.startswith(
        "stuck in Slurm's queue: 2 (JobHeldUser): held; scontrol release jobname=mmulbench-"
    )
    assert stuck in shown.out
    cluster.say(*shlex.split(stuck.partition("held; ")[2].partition(" lets go")[0]))
    site.go()
    complete()


def test_cancel_leaves_jobs_that_have_the_ids_of_a_sweep(cluster, tmp_path):
    mine = cluster.say("sbatch", "--parsable", "--hold", "--job-name=precious", "--wrap=true")
    folder, plan = make_sweep(tmp_path, "works")
    task = SlurmTask(job=mine, steps=tuple(step.step_id for step in plan.steps))
    write_jobs(folder, SlurmJobs(settings={}, pack="1", cluster=this_cluster().name, tasks=(task,)))
    cancel(tmp_path / "sweeps", None)
    assert cluster.say("squeue", "--noheader", "--format=%T|%j", f"--jobs={mine}") == "PENDING|precious"
    cluster.say("scancel", mine)
