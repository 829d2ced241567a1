"""Every registered task holds to the contract, the official ones on their miniatures."""

from __future__ import annotations

import shutil
from pathlib import Path

import miniatures
import pytest
import relation_miniatures

from mmulbench.conformance.checks import Check, run_check
from mmulbench.conformance.task_checks import TaskTrial, task_checks, task_trial
from mmulbench.core.registry import TASKS
from mmulbench.errors import UsageError
from mmulbench.progress import Progress


def refusals_say_what_is_possible(trial: TaskTrial) -> None:
    """One line names the range."""
    total = len(trial.data.train.units)
    for size in (0, -3, total, total + 1):
        with pytest.raises(UsageError, match=f"forget size {size} is out of range: 1 to {total - 1} units"):
            trial.task.forget_size(trial.data, size)
    for fraction in (0.0, 1.0, -0.1, 1.5, float("nan")):
        with pytest.raises(UsageError, match=r"a fraction lies between 0 and 1 \(both excluded\)"):
            trial.task.forget_size(trial.data, fraction)


def fractions_are_rounded(trial: TaskTrial) -> None:
    """Half of the units, and the default fraction."""
    task, data, total = trial.task, trial.data, len(trial.data.train.units)
    assert task.forget_size(data, 0.5) == round(total / 2)
    if task.forget_count is None or total < 2 * task.forget_count:
        assert task.forget_size(data, None) == round(task.forget_fraction * total)


CHECKS = [*task_checks(), Check(refusals_say_what_is_possible), Check(fractions_are_rounded)]
ALL_TASKS = [
    pytest.param(name, marks=pytest.mark.slow if name.startswith("hpo_") else ()) for name in TASKS.names()
]
"""Names of all tasks; those that read an ontology take long to load."""

ON_DISK = {*miniatures.WRITERS, *relation_miniatures.WRITERS}


@pytest.fixture(scope="module")
def trial_of(kept, tmp_path_factory):
    """A task on its data; the data is loaded again from another folder, wherever it is read from one."""
    elsewhere = Path(shutil.copytree(kept, tmp_path_factory.mktemp("copy") / "data", symlinks=True))
    made: dict[str, TaskTrial] = {}

    def make(name: str) -> TaskTrial:
        if name not in made:
            places = (kept, elsewhere) if name in ON_DISK else (Path("data"), Path("elsewhere"))
            made[name] = task_trial(name, places[0], Progress(), places[1])
        return made[name]

    return make


@pytest.mark.parametrize("check", CHECKS, ids=str)
@pytest.mark.parametrize("name", ALL_TASKS)
def test_holds_to_the_contract(name, check, trial_of):
    outcome = run_check(check, [trial_of(name)])
    assert outcome.status == "passed", outcome.reason
