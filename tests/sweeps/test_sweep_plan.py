"""From runs to steps: what is shared is made once and first."""

from __future__ import annotations

from sweep_toys import record_of

from mmulbench.results import Cost
from mmulbench.sweeps.grid import checked_grid
from mmulbench.sweeps.plan import Plan, estimate, make_plan


def plan(reference: bool = True, **content: object) -> Plan:
    return make_plan(checked_grid(content, "file").jobs(), reference=reference)


def test_what_runs_share_is_made_once_and_before_them():
    found = plan(
        task=["emoji", "flags"],
        method=["mmul", "scrub", "retrain"],
        seed=[1, 2],
        forget_size=[5, 9],
        methods={"scrub": [{"alpha": 1}, {"alpha": 2}]},
    )
    assert [len(found.of(kind)) for kind in ("original", "retrain", "run")] == [4, 8, 32]
    before: set[str] = set()
    for step in found.steps:
        assert before.issuperset(step.needs)
        before.add(step.step_id)
    assert len(before) == 44
    by_id = {step.step_id: step for step in found.steps}
    for run in found.of("run"):
        original, retrain = (by_id[need] for need in run.needs)
        assert (original.kind, retrain.kind) == ("original", "retrain")
        assert retrain.needs == (original.step_id,)
        for need in (original, retrain):
            assert (need.job.task, need.job.seed) == (run.job.task, run.job.seed)
        assert retrain.job.forget_size == run.job.forget_size


def test_what_changes_the_training_needs_an_original_of_its_own():
    base = {"task": "emoji", "method": "mmul"}
    other = [{"set": ["recipe.epochs=2"]}, {"set": ["task.limit=9"]}, {"set": ["lr=1"]}, {"backbone": "clip"}]
    found = plan(**base, include=other)
    assert len(found.of("run")) == 5
    assert len(found.of("original")) == 4  # a method's setting changes none


def test_without_reference_only_the_method_retrain_needs_retrain():
    found = plan(reference=False, task="emoji", method=["mmul", "retrain"])
    assert [step.kind for step in found.steps] == ["original", "retrain", "run", "run"]
    assert [len(step.needs) for step in found.of("run")] == [1, 2]


def test_titles_of_shared_steps_leave_out_what_they_do_not_depend_on():
    found = plan(task="emoji", method="mmul", forget_size=5, set=["recipe.epochs=2", "lr=1"])
    assert [step.title for step in found.steps] == [
        "original on emoji, seed 42, recipe.epochs=2",
        "retrain on emoji, seed 42, forget size 5, recipe.epochs=2",
        "mmul on emoji, seed 42, forget size 5, recipe.epochs=2, lr=1",
    ]


def test_time_is_estimated_from_earlier_records():
    found = plan(task=["emoji", "flags"], method=["mmul", "retrain"])
    assert estimate(found.steps, []).unknown == len(found.steps) == 8
    run = found.of("run")[1]
    assert (run.job.task, run.job.method) == ("emoji", "retrain")
    record = record_of(run, cost=Cost(seconds=100.0))
    record = record.model_copy(update={"finished": record.started.replace(year=record.started.year + 1)})
    spent = (record.finished - record.started).total_seconds()
    known = estimate(found.steps, [record])
    # Original and retrain take as long as retraining cost; mmul as long as what is known of its task.
    assert known.seconds == 2 * 100.0 + 2 * spent
    assert known.unknown == 4
