"""A sweep of runs over two tasks has the same records from Slurm as from local workers."""

from __future__ import annotations

from slurm_site import Site, numbers

from mmulbench.records.store import ResultsStore

SWEEP = """
task: [emoji, hpo_pgr]
backbone: [albef:tiny, gtnn:tiny]
exclude:
  - {task: emoji, backbone: gtnn:tiny}
  - {task: hpo_pgr, backbone: albef:tiny}
method: [mmul, random_label]
set: [task.limit=40, recipe.epochs=1, epochs=1]
executor:
  name: slurm
  pack: 2
  time: 1:00:00
  cpus: 1
  mem_gb: 0.5
  nice: 10
"""


def test_runs_have_the_same_records_from_slurm_as_from_local_workers(cluster, tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(SWEEP)
    words = ["sweep", str(file), "--device", "cpu", "--no-reference"]
    local = Site(tmp_path / "local")
    done = local.run(*words, "--executor", "local")
    assert done.code == 0, done.err

    site = Site(tmp_path / "slurm")
    done = site.run(*words)
    assert done.code == 0, done.err
    # Two originals, and four runs in tasks of two.
    assert [len(task.steps) for task in site.jobs().tasks] == [1, 1, 2, 2]
    array = site.jobs().tasks[0].array
    said = cluster.say("squeue", "--noheader", "--states=all", "--format=%l|%m|%C", f"--jobs={array}")
    assert set(said.splitlines()) == {"1:00:00|512M|1"}

    status = site.until_over()
    assert (status["counts"], status["trouble"]) == ({"done": 6}, [])
    assert len(site.records()) == 4
    assert numbers(site.records()) == numbers(local.records())


def test_shadow_models_are_made_by_slurm_as_in_one_process(cluster, tmp_path):
    words = ["sweep", "-m", "mmul", "-t", "emoji", "-b", "albef:tiny", "--device", "cpu", "--shadows", "2"]
    words += ["--set", "task.limit=40", "--set", "recipe.epochs=1", "--set", "mmul.epochs=1"]
    local = Site(tmp_path / "local")
    done = local.run(*words, "-m", "retrain", "--executor", "debug")
    assert done.code == 0, done.err
    wanted, retrain = local.records()
    assert (wanted.spec.method, wanted.shadows, retrain.spec.method) == ("mmul", 2, "retrain")

    site = Site(tmp_path / "slurm")
    ResultsStore(site.results).write(retrain)  # tells how long a model takes
    done = site.run(*words, "--executor", "slurm", "--pack", "30m")
    assert done.code == 0, done.err
    # Three originals, three retrains, three second ones, what the method makes of two, and the run.
    assert [len(task.steps) for task in site.jobs().tasks] == [3, 3, 3, 2, 1]
    assert site.until_over()["counts"] == {"done": 12}
    assert numbers(site.records()) == numbers(local.records())
