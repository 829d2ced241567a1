"""Every registered task holds to the contract, the official ones on their miniatures."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import miniatures
import pytest
import relation_miniatures
import table_miniatures

from mmulbench.conformance.checks import Check, run_check
from mmulbench.conformance.task_checks import task_checks
from mmulbench.conformance.task_trial import TaskTrial, task_trial
from mmulbench.core.registry import TASKS
from mmulbench.core.task import TaskData
from mmulbench.errors import UsageError
from mmulbench.progress import Progress


def refusals_say_what_is_possible(trial: TaskTrial) -> None:
    """One line names the range."""
    total = trial.task.unit_count(trial.data)
    for size in (0, -3, total, total + 1):
        with pytest.raises(UsageError, match=f"forget size {size} is out of range: 1 to {total - 1} units"):
            trial.task.forget_size(trial.data, size)
    for fraction in (0.0, 1.0, -0.1, 1.5, float("nan")):
        with pytest.raises(UsageError, match=r"a fraction lies between 0 and 1 \(both excluded\)"):
            trial.task.forget_size(trial.data, fraction)


def fractions_are_rounded(trial: TaskTrial) -> None:
    """Half of the units, and the default fraction."""
    task, data, total = trial.task, trial.data, trial.task.unit_count(trial.data)
    assert task.forget_size(data, 0.5) == round(total / 2)
    if task.forget_count is None or total < 2 * task.forget_count:
        assert task.forget_size(data, None) == round(task.forget_fraction * total)


CHECKS = [*task_checks(), Check(refusals_say_what_is_possible), Check(fractions_are_rounded)]
FINGERPRINTS = {
    "emoji": "18f63520a14df98344b9362cdb1c587680649d152c2ecbc23e64596131ed1cc3",
    "emoji_nlvr": "0ac6b3ef305cb10e84b33bf1816d951a3eee1888e226e645b068b902b29baa81",
    "flags": "71ea2d8c7f89d906f61d50667cf5a3af8d34920618d422c2dc0727f3b3af2813",
    "flags_ve": "0cbebaf35cb210f0cc49f6353b8b981850d11ccfd40b497172301be8d37c2dff",
    "hpo_gdpr": "9efb1c31a6435c2b2014023eabce51e8e601d87ad9e6451d5fb1d9dc6521e22c",
    "hpo_pgr": "1662801e14b9251ad83e814566debbd88984fb89c136caf7b94025fd03f8cc8b",
}
"""Fingerprint that records carry, by packaged task: if it changes, none of them can be compared
with new ones."""


SKIPPED_WHERE_SMALL_OR_OF_OTHER_KIND = {
    "pictures_have_no_twins",
    "counting_tells_no_class",
    "popularity_finds_no_text",
}
NOTED = {
    ("emoji", "popularity_finds_no_text"),
    ("flags_ve", "counting_tells_no_class"),
}
"""Packaged tasks with a prior that models may use: what it reaches is in docs/data.md."""


def slow_if_large(names: Iterable[str]) -> list[object]:
    """Mark the tasks that read an ontology, which take long to load."""
    return [pytest.param(name, marks=pytest.mark.slow if name.startswith("hpo_") else ()) for name in names]


def load_packaged(name: str, **config: int) -> TaskData:
    """Load a task that comes with packages."""
    cls = TASKS.get(name)
    return cls(cls.Config(**config)).load(Path("data"), Progress())


ON_DISK = {*miniatures.WRITERS, *relation_miniatures.WRITERS, *table_miniatures.WRITERS}


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
@pytest.mark.parametrize("name", slow_if_large(TASKS.names()))
def test_holds_to_the_contract(name, check, trial_of):
    trial = trial_of(name)
    outcome = run_check(check, [trial])
    if outcome.status == "skipped" and check.name in SKIPPED_WHERE_SMALL_OR_OF_OTHER_KIND:
        pytest.skip(outcome.reason)
    noted = outcome.status == "noted" and (trial.published or (name, check.name) in NOTED)
    assert outcome.status == "passed" or noted, outcome


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_units_of_several_images_hold_to_the_contract(check, kept):
    task = table_miniatures.task_of("pairs", unit="person")
    data = task.load(kept, Progress())
    assert task.unit_count(data) == 15 < len(data.train.units)
    outcome = run_check(check, [TaskTrial("pairs", task, data, lambda: task.load(kept, Progress()))])
    small = check.name in SKIPPED_WHERE_SMALL_OR_OF_OTHER_KIND
    assert outcome.status in ("passed", "noted") or (outcome.status == "skipped" and small), outcome


@pytest.mark.parametrize("name", slow_if_large(FINGERPRINTS))
def test_fingerprint_is_what_records_say(name, trial_of):
    assert trial_of(name).data.fingerprint == FINGERPRINTS[name]
    assert load_packaged(name, limit=60).fingerprint != FINGERPRINTS[name]


def test_every_packaged_task_is_pinned():
    assert FINGERPRINTS.keys() == {*TASKS.names()} - ON_DISK


@pytest.mark.parametrize("name", slow_if_large(FINGERPRINTS))
def test_the_smallest_limit_still_has_three_splits(name):
    few = load_packaged(name, limit=20)
    assert min(len(split.units) for split in (few.train, few.validation, few.test)) >= 1


@pytest.mark.parametrize("size", [-1, 1, 19])
@pytest.mark.parametrize(
    ("name", "setting"),
    [*((name, "limit") for name in FINGERPRINTS), ("hpo_pgr", "subjects"), ("hpo_gdpr", "subjects")],
)
def test_sizes_that_leave_nothing_to_test_on_are_refused(name, setting, size):
    with pytest.raises(ValueError, match=rf"{setting} must be 0 \(all\) or at least 20"):
        TASKS.get(name).Config(**{setting: size})
