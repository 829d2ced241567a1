"""A sweep of runs and of the models that they share has the same records from Slurm as from one process."""

from __future__ import annotations

from slurm_site import Site, numbers

from mmulbench.records.store import ResultsStore

SWEEP = """
task: emoji
backbone: albef:tiny
method: mmul
set: [task.limit=40, recipe.epochs=1, mmul.epochs=1]
executor:
  name: slurm
  pack: 30m
  time: 1:00:00
  cpus: 1
  mem_gb: 0.5
  nice: 10
"""


def test_runs_and_what_they_share_are_made_by_slurm_as_in_one_process(cluster, tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(SWEEP)
    words = ["sweep", str(file), "--device", "cpu", "--shadows", "2"]
    local = Site(tmp_path / "local")
    done = local.run(*words, "-m", "mmul", "-m", "retrain", "--executor", "debug")
    assert done.code == 0, done.err
    wanted, retrain = local.records()
    assert (wanted.spec.method, wanted.shadows, retrain.spec.method) == ("mmul", 2, "retrain")

    site = Site(tmp_path / "slurm")
    ResultsStore(site.results).write(retrain)  # tells how long a model takes
    done = site.run(*words)
    assert done.code == 0, done.err
    # Three originals, three retrains, three second ones, what the method makes of two, and the run.
    assert [len(task.steps) for task in site.jobs().tasks] == [3, 3, 3, 2, 1]
    array = site.jobs().tasks[0].array
    said = cluster.say("squeue", "--noheader", "--states=all", "--format=%l|%m|%C", f"--jobs={array}")
    assert set(said.splitlines()) == {"1:00:00|512M|1"}

    status = site.until_over()
    assert (status["counts"], status["trouble"]) == ({"done": 12}, [])
    assert numbers(site.records()) == numbers(local.records())
