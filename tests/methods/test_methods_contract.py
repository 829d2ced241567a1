"""Every registered method holds to the contract, on a tiny model of every kind of task."""

from __future__ import annotations

import functools

import pytest
from toys import toy_problem

from mmulbench.conformance.checks import Check, demand, run_check
from mmulbench.conformance.method_checks import method_checks
from mmulbench.conformance.method_trial import MethodTrial, method_trials
from mmulbench.conformance.tiny_tasks import TINY_TASKS
from mmulbench.core.registry import METHODS, TASKS
from mmulbench.errors import NotApplicable

NEVER = {"unsir", "erm_ktp"}
"""Methods that delete whole classes."""

BEGINS_AGAIN = {"original", "fisher", "influence", "l_codec", "ssd"}
"""A killed run of these does, since they train in no epochs."""

TRAIN_ON_EMOJI = [
    name
    for name in METHODS.names()
    if name not in BEGINS_AGAIN and METHODS.get(name).applies_to(TASKS.get("emoji")()) is None
]


def weights_have_the_originals_names_and_shapes(trial: MethodTrial) -> None:
    """Nothing is added to the model."""
    shapes = [
        {name: value.shape for name, value in model.state_dict().items()}
        for model in (trial.usual.problem.original, trial.usual.model)
    ]
    demand(shapes[0] == shapes[1], "other weights")


CHECKS = [
    *method_checks(),
    Check(weights_have_the_originals_names_and_shapes),
]
ADDS_WEIGHTS = {"gnndelete"}
"""Its operators stay part of the model."""

PAIRS = [
    (name, check)
    for name in METHODS.names()
    for check in CHECKS
    if check.run is not weights_have_the_originals_names_and_shapes or name not in ADDS_WEIGHTS
]

trials_of = functools.lru_cache(maxsize=1)(method_trials)  # a method's checks share one run of it


@pytest.mark.parametrize(("name", "check"), PAIRS, ids=[f"{name}-{check}" for name, check in PAIRS])
def test_holds_to_the_contract(name, check):
    trials = trials_of(name)
    outcome = run_check(check, trials)
    assert outcome.status != "failed", outcome.reason
    applies = [trial.label for trial in trials if trial.cls.applies_to(trial.kind.task()) is None]
    if outcome.status == "skipped":
        optional = ["moves_only_what_trains", "reports_divergence", "counts_its_work"]
        optional += ["goes_on_after_a_kill"] if name in BEGINS_AGAIN else []
        optional += ["takes_no_step_on_a_small_rest"] if name == "original" else []
        assert not applies or check.name in optional, outcome.reason
        pytest.skip(outcome.reason)
    if not check.once and check.name != "says_where_it_applies":
        assert outcome.on == tuple(applies)


@pytest.mark.parametrize("name", METHODS.names())
def test_applies_somewhere_or_never(name):
    cls = METHODS.get(name)
    applies = [kind.name for kind in TINY_TASKS if cls.applies_to(kind.task()) is None]
    assert bool(applies) == (name not in NEVER)


@pytest.mark.parametrize("name", sorted(NEVER))
def test_what_never_applies_gives_one_reason_before_and_in_unlearning_and_in_its_record(name, record):
    cls = METHODS.get(name)
    reasons = {cls.applies_to(kind.task()) for kind in TINY_TASKS}
    with pytest.raises(NotApplicable) as raised:
        cls().unlearn(toy_problem())
    assert reasons == {str(raised.value)}
    found = record(cls(), name)
    assert found.status == "not_applicable" and "pairs are deleted" in found.reason


@pytest.mark.parametrize("name", ["cf_k", "eu_k", "gnndelete", "mmul"])
def test_frozen_parts_are_looked_at(name):
    """Else a pass of the check above would say nothing."""
    settings = {"trainable": "fusion"} if name == "mmul" else {}
    (check,) = (check for check in CHECKS if check.name == "moves_only_what_trains")
    outcome = run_check(check, method_trials(name, settings))
    expected = ("relations",) if name == "gnndelete" else tuple(kind.name for kind in TINY_TASKS)
    assert (outcome.status, outcome.on) == ("passed", expected), outcome.reason


@pytest.mark.parametrize("name", TRAIN_ON_EMOJI)
def test_what_trains_is_charged(name, quick_method, make_problem):
    problem = make_problem()
    with problem.meter:
        quick_method(name).unlearn(problem)
    cost = problem.meter.cost()
    assert cost.steps > 0 and cost.samples > 0 and cost.flops > 0


def test_only_retrain_is_the_reference():
    assert [name for name in METHODS.names() if METHODS.get(name).is_reference] == ["retrain"]
