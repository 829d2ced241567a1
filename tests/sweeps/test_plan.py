"""From runs to steps: what is shared is made once and first."""

from __future__ import annotations

from typing import Any

from sweep_toys import record_of

from mmulbench.records.schema import Cost
from mmulbench.sweeps.grid import checked_grid
from mmulbench.sweeps.plan import STEP_KINDS, Plan, estimate, make_plan, step_seconds


def plan(reference: bool = True, shadows: int = 0, **content: object) -> Plan:
    return make_plan(checked_grid(content, "file").jobs(), reference=reference, shadows=shadows)


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
    base: dict[str, Any] = {"task": "emoji", "method": "mmul"}
    other = [{"set": ["recipe.epochs=2"]}, {"set": ["task.limit=9"]}, {"set": ["lr=1"]}, {"backbone": "clip"}]
    found = plan(**base, include=other)
    assert len(found.of("run")) == 5
    assert len(found.of("original")) == 4  # a method's setting changes none


def test_some_steps_come_with_what_they_need():
    found = plan(task=["emoji", "flags"], method=["mmul", "scrub"])
    chosen = found.with_needs([found.of("run")[1].step_id])
    assert [step.kind for step in chosen.steps] == ["original", "retrain", "run"]
    assert {step.job.task for step in chosen.steps} == {"emoji"}
    assert chosen.steps[-1].job.method == "scrub"
    assert found.with_needs([]).steps == ()


def test_shadow_models_are_shared_as_far_as_they_are_the_same():
    found = plan(
        shadows=2, task="emoji", method=["mmul", "scrub", "retrain"], seed=[1, 2], forget_size=[5, 9]
    )
    # Of each shadow model: one original; two retrains a forget set; one unlearned model a run that unlearns.
    assert [len(found.of(kind)) for kind in STEP_KINDS] == [2 + 2, 4 + 4 * 2, 4 + 4 * 2, 8 * 2, 12]
    by_id = {step.step_id: step for step in found.steps}
    assert len(by_id) == len(found.steps)
    before: set[str] = set()
    for step in found.steps:
        assert before.issuperset(step.needs)
        before.add(step.step_id)
    for run in found.of("run"):
        needs = [by_id[need] for need in run.needs]
        kinds = [(step.kind, step.shadow) for step in needs]
        trained = ["original", "retrain", "second_retrain"]
        shadow = [*trained, *([] if run.job.method == "retrain" else ["shadow"])]
        assert kinds == [*((kind, 0) for kind in trained), *((kind, n) for n in (1, 2) for kind in shadow)]
        for step in needs:
            if step.kind != "original":
                assert (step.job.seed, step.job.forget_size) == (run.job.seed, run.job.forget_size)
            if step.kind == "shadow":
                assert step.job == run.job
                (original,) = (by_id[need] for need in step.needs)
                assert (original.kind, original.shadow) == ("original", step.shadow)


def test_titles_of_shadow_models():
    found = plan(shadows=2, task="emoji", method="mmul", forget_size=5, set=["lr=1"])
    assert [step.title for step in found.steps if step.shadow == 2] == [
        "original on emoji, shadow model 2",
        "retrain on emoji, seed 42, forget size 5, shadow model 2",
        "second retrain on emoji, seed 42, forget size 5, shadow model 2",
        "mmul on emoji, seed 42, forget size 5, lr=1, shadow model 2",
    ]


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


def test_what_a_shadow_model_takes_is_what_its_method_cost():
    found = plan(shadows=2, task="emoji", method=["mmul", "scrub"])
    mmul = record_of(found.of("run")[0], cost=Cost(seconds=10.0))
    seconds = step_seconds(found.steps, [mmul])
    assert {seconds[step.step_id] for step in found.of("shadow")} == {10.0}  # scrub's as of its task
    scrub = record_of(found.of("run")[1], cost=Cost(seconds=30.0))
    seconds = step_seconds(found.steps, [mmul, scrub])
    by_method = {step.job.method: seconds[step.step_id] for step in found.of("shadow")}
    assert by_method == {"mmul": 10.0, "scrub": 30.0}
    assert not any(step.step_id in seconds for step in found.of("retrain"))
    retrain = record_of(plan(task="emoji", method="retrain").of("run")[0], cost=Cost(seconds=7.0))
    seconds = step_seconds(found.steps, [retrain])
    assert {seconds[step.step_id] for step in found.of("second_retrain")} == {7.0}
