"""The committed records and the leaderboard made from them."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mmulbench.core.registry import METHODS, TASKS
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.report import leaderboard, page
from mmulbench.report.untaught import untaught_in
from mmulbench.setting_values import Overrides
from mmulbench.sweeps.grid import Job, given_grid

ROOT = Path(__file__).resolve().parents[2]
SEEDS = {42, 87, 21}
Scene = tuple[str, str]
"""Task and backbone."""


def scene_of(task: str, backbone: str | None) -> Scene:
    return task, backbone or TASKS.get(task).default_backbone


def recipe_of(job: Job) -> dict[str, Any]:
    """Recipe of a run, as records hold it: the task's own, and what the sweep file sets."""
    return asdict(Overrides(job.settings, job.methods).recipe(TASKS.get(job.task).recipe))


ATTACKED = ROOT / "results" / "shadows.yaml"
"""Names runs of other files once more, which were attacked with shadow models."""

JOBS: dict[Scene, list[Job]] = defaultdict(list)
for _path in sorted(set((ROOT / "results").glob("*.yaml")) - {ATTACKED}):
    for _job in given_grid(_path, {}).jobs():
        JOBS[scene_of(_job.task, _job.backbone)].append(_job)


@pytest.fixture(scope="module")
def all_records() -> dict[Scene, list[RunResult]]:
    """All of them, by task and backbone."""
    found, unreadable = ResultsStore(ROOT / "results").load_all()
    assert not unreadable
    by_scene: dict[Scene, list[RunResult]] = defaultdict(list)
    for record in found:
        by_scene[record.spec.task, record.spec.backbone].append(record)
    return by_scene


@pytest.fixture(params=JOBS, ids="-".join)
def scene(request) -> Scene:
    return request.param


@pytest.fixture
def records(scene, all_records) -> list[RunResult]:
    return all_records[scene]


def test_every_record_is_of_a_sweep_file(all_records):
    assert set(all_records) == set(JOBS)


def test_all_of_a_scene_have_the_recipe_of_its_sweep_file(scene, records):
    first, *others = map(recipe_of, JOBS[scene])
    assert all(other == first for other in others)
    for record in records:
        assert record.spec.recipe == first
        assert record.spec.task_config == asdict(TASKS.get(scene[0]).Config())


def done(records: list[RunResult]) -> list[RunResult]:
    return [record for record in records if record.status == "done"]


def originals(records: list[RunResult]) -> list[RunResult]:
    return [record for record in records if record.spec.method == "original"]


def attacks(record: RunResult) -> list[float]:
    """AUC of the loss attack on every path, Df against test pairs."""
    return [value.value or 0.0 for name, value in record.values.items() if re.fullmatch("mia/[a-z]+", name)]


FEW_MODELS = ("klom: ", "true-positive rates at 0.1%")
"""What starts lines about values that more shadow models give than the records have."""


def lacks(record: RunResult) -> list[str]:
    """Values that a record has not, though it has all that they take."""
    return [line for line in record.missing if not (record.shadows and line.startswith(FEW_MODELS))]


def test_all_runs_of_the_sweep_file_have_a_complete_record(scene, records):
    task, _ = scene
    made = Counter((record.spec.method, record.spec.seed) for record in records if not lacks(record))
    jobs = JOBS[scene]
    assert {job.seed for job in jobs} == {record.spec.seed for record in records} >= SEEDS
    assert made >= Counter((job.method, job.seed) for job in jobs)
    assert {record.status for record in records} <= {"done", "not_applicable"}
    for record in records:
        reason = METHODS.get(record.spec.method).applies_to(TASKS.get(task)())
        assert (record.status == "not_applicable") == (reason is not None)
        assert record.reason == reason
    assert len({record.spec.forget_size for record in records}) == 1


def test_what_is_to_be_attacked_with_shadow_models_was(all_records):
    (models,) = re.findall(r"--shadows (\d+)", ATTACKED.read_text(encoding="utf-8"))
    for job in given_grid(ATTACKED, {}).jobs():
        records = [one for one in all_records[scene_of(job.task, job.backbone)] if one.spec.seed == job.seed]
        assert int(models) in [one.shadows for one in records if one.spec.method == job.method], job.method


def test_the_recorded_commands_make_the_recorded_runs(records):
    """Without tuned settings, which a later study may change."""
    for record in records:
        words = shlex.split(record.command)
        settings = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
        name = record.spec.method
        default = METHODS.get(name).Config()
        overrides = Overrides(settings, [name])
        assert asdict(overrides.method(name, default)) == record.spec.config
        assert ("--untuned" in words) == bool(record.spec.config)
        assert words[words.index("--seed") + 1] == str(record.spec.seed)
        assert words[words.index("--forget-size") + 1] == str(record.spec.forget_size)


def test_records_come_from_committed_code_and_one_data_fingerprint(records):
    assert all(re.fullmatch(r"[0-9a-f]{40}", record.environment.git_commit or "") for record in records)
    assert len({record.spec.data_fingerprint for record in records}) == 1


def test_the_original_has_learnt_something_and_has_something_to_forget(records):
    assert {record.spec.seed for record in originals(records)} >= SEEDS
    for record in originals(records):
        test = record.values["test"]
        assert test.value is not None and test.chance is not None
        assert test.value >= 1.2 * test.chance, "of four tasks, chance is a half"
        assert max(attacks(record)) >= 0.60


def test_every_path_of_an_original_has_learnt_something(records):
    assert [(record.run_id, path) for record in originals(records) for path in untaught_in(record)] == []


def test_the_originals_of_emoji_have_learnt_more(all_records):
    for record in originals(all_records[scene_of("emoji", None)]):
        for direction in ("i2t", "t2i"):
            recall = record.values[f"test/{direction}_r@10"]
            assert recall.value is not None and recall.chance is not None
            assert recall.value >= 0.50 > 3 * recall.chance
        assert max(attacks(record)) >= 0.70


def test_known_answers_hold_in_the_records(records):
    for record in done(records):
        gap = record.values["retrain_gap"]
        assert gap.retrain == 0.0
        if record.spec.method == "retrain":
            assert gap.value == 0.0
            assert record.cost is not None and record.cost.seconds_ratio == 1.0
        if record.spec.method == "original":
            assert record.values["mi_ratio"].value == 0.0


def test_what_an_original_remembers_a_retrain_does_not(all_records):
    for record in (one for name, of in all_records.items() if name[0] == "emoji" for one in originals(of)):
        paths = {name for name in record.values if re.fullmatch("forget_vs_retain_auc/[a-z]+", name)}
        assert paths
        for path in paths:
            value = record.values[path].value
            assert value is not None and abs(value - 0.5) < 0.1
    for record in (one for records in all_records.values() for one in originals(records)):
        for name, attack in record.values.items():
            if re.fullmatch("mia/[a-z]+", name):
                assert attack.value is not None and attack.retrain is not None
                assert attack.value > attack.retrain, (record.spec.task, record.spec.seed, name)


def test_the_leaderboard_is_made_from_the_records():
    found, unreadable = ResultsStore(ROOT / "results").load_all()
    text = leaderboard.render(
        found,
        unreadable,
        None,
        "mmulbench leaderboard",
        expected_methods=METHODS.names(),
        results=Path("results"),
    )
    assert page.holds(ROOT / "leaderboard.md", text)


def test_each_task_shows_two_screens_and_folds_the_rest():
    text = (ROOT / "leaderboard.md").read_text(encoding="utf-8")
    while (shorter := re.sub(r"(?s)<details>(?:(?!<details>).)*?</details>", "(folded)", text)) != text:
        text = shorter
    tasks = [part for part in text.split("\n## ")[1:] if not part.startswith(("Over all", "The paper"))]
    published = {one.spec.task for one in ResultsStore(ROOT / "results").load_all()[0]}
    assert {task.partition("\n")[0] for task in tasks} == published
    for task in tasks:
        rendered = sum(-(-len(line) // 160) for line in task.splitlines() if line)
        assert rendered <= 100, task.partition("\n")[0]
        assert "![" in task and "| # | Method |" in task
