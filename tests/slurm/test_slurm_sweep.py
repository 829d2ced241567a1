"""A sweep of runs and of the models that they share has the same records from Slurm as from one process."""

from __future__ import annotations

from slurm_site import Site, numbers

from mmulbench.records.store import ResultsStore

SWEEP = """
task: emoji
backbone: albef:tiny
method: [mmul, random_label]
set: [task.limit=40, recipe.epochs=1, mmul.epochs=1, random_label.epochs=1]
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
    methods = [word for name in ("mmul", "random_label", "retrain") for word in ("-m", name)]
    done = local.run(*words, *methods, "--executor", "debug")
    assert done.code == 0, done.err
    *wanted, retrain = sorted(local.records(), key=lambda record: record.spec.method == "retrain")
    assert [(record.spec.method, record.shadows) for record in wanted] == [("mmul", 2), ("random_label", 2)]

    site = Site(tmp_path / "slurm")
    ResultsStore(site.results).write(retrain)  # tells how long a model takes
    done = site.run(*words)
    assert done.code == 0, done.err
    # Three originals, three retrains, three second ones, what each method makes of two, and the runs.
    assert [len(task.steps) for task in site.jobs().tasks] == [3, 3, 3, 4, 2]
    array = site.jobs().tasks[0].array
    said = cluster.say("squeue", "--noheader", "--states=all", "--format=%l|%m|%C", f"--jobs={array}")
    assert set(said.splitlines()) == {"1:00:00|512M|1"}

    status = site.until_over()
    assert (status["counts"], status["trouble"]) == ({"done": 15}, [])
    assert len(site.records()) == 3
    assert numbers(site.records()) == numbers(local.records())
