"""Each check of the contract of metrics finds what it is there for, and says what to do."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench import HEADLINE, Estimate, Needs, PathMetric, UnimodalMetric, finite_vector
from mmulbench.conformance.checks import run_check
from mmulbench.conformance.metric_checks import metric_checks
from mmulbench.conformance.planted_models import PLANTED, RETRAIN, MetricTrial, metric_trial, observation
from mmulbench.metrics.catalogue import ORDER

CHECKS = {check.name: check for check in metric_checks()}


SLOW = ("mia", "mi_ratio", "klom")
NAMES = [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in ORDER]


@pytest.mark.parametrize("name", NAMES)
def test_built_in_metrics_hold(name):
    outcomes = [run_check(check, [metric_trial(name)]) for check in CHECKS.values()]
    assert [(one.check, one.reason) for one in outcomes if one.status == "failed"] == []
    assert sum(one.status == "passed" for one in outcomes) >= 4


class MeanLoss(PathMetric):
    """A good metric; the tests below spoil it."""

    title = "Mean loss"
    direction = "closest_to_retrain"
    definition = "mean loss of the forget set less that of the test set"
    source = "the test"
    needs = Needs(losses=("forget", "test"))
    chance = 0.0

    def compute(self, observation):
        losses = observation.model.losses
        forget = finite_vector(losses["forget"], "losses")
        test = finite_vector(losses["test"], "losses")
        return {HEADLINE: Estimate(self.value(forget, test), forget.size)}

    def value(self, forget, test):
        return float(forget.mean() - test.mean())


class Unchecked(MeanLoss):
    def compute(self, observation):
        return {HEADLINE: Estimate(float(np.sum(observation.model.losses["forget"])), 1)}


class Greedy(MeanLoss):
    def compute(self, observation):
        return {HEADLINE: Estimate(float(observation.model.losses["retain"].mean()), 1)}


class Careless(MeanLoss):
    def compute(self, observation):
        observation.model.losses["forget"].sort()
        return super().compute(observation)


class Spread(UnimodalMetric):
    """A good metric of encoders; the tests below spoil it."""

    title = "Spread"
    direction = "not_below_retrain"
    definition = "distance of the outputs from the original's, less than 0 where there is any"
    source = "the test"
    needs = Needs(pooled=True)
    chance = None

    def compute(self, observation):
        if observation.model.shape != observation.original.shape or observation.model.ndim != 2:
            raise ValueError("outputs do not fit together")
        own, original = (finite_vector(one.ravel(), "x") for one in (observation.model, observation.original))
        return {HEADLINE: Estimate(self.value(own, original), len(observation.model))}

    def value(self, own, original):
        return -float(np.abs(own - original).mean())


class CarelessSpread(Spread):
    def compute(self, observation):
        found = super().compute(observation)
        observation.model[:] = 0
        return found


class FirstItem(Spread):
    def value(self, own, original):
        return float(own[0])


class Unmoved(Spread):
    def value(self, own, original):
        return 0.5


def spoilt(value=MeanLoss.value, **attributes):
    return type("Spoilt", (MeanLoss,), {"value": value, **attributes})


def run(name, cls):
    return run_check(CHECKS[name], [MetricTrial(cls("spoilt"))])


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "retrain_is_no_worse"])
def test_a_good_metric_passes(name):
    assert run(name, MeanLoss).status == "passed", run(name, MeanLoss).reason


@pytest.mark.parametrize("name", CHECKS)
def test_a_good_metric_of_encoders_passes(name):
    assert run(name, Spread).status != "failed", run(name, Spread).reason


@pytest.mark.parametrize(
    ("name", "cls", "reason"),
    [
        ("describes_itself", spoilt(title=""), 'set title = "…"'),
        ("describes_itself", spoilt(direction="up"), "set direction to one of higher"),
        ("describes_itself", spoilt(needs=Needs()), "set needs"),
        ("gives_numbers", spoilt(lambda *_: float("inf")), "give a finite number"),
        ("gives_numbers", spoilt(has_headline=False), "has_headline"),
        ("gives_numbers", spoilt(bounds=(0.0, 1e-3)), "outside of its bounds, 0 to 0.001: set bounds"),
        ("is_deterministic", spoilt(lambda *_: np.random.random()), "default_rng"),
        ("is_deterministic", Careless, "work on a copy"),
        ("order_does_not_matter", spoilt(lambda self, forget, test: forget[0]), "in another order"),
        ("reads_what_it_needs", Greedy, "'retain', which needs does not name"),
        ("retrain_is_no_worse", spoilt(direction="lower"), "lower is better, but retrain has"),
        ("notices_what_went_wrong", spoilt(lambda *_: 0.5), "alike"),
        ("chance_is_as_stated", spoilt(chance=1.0), "chance is said to be 1.000"),
        ("refuses_what_does_not_fit", Unchecked, "sets without pairs"),
        ("reports_divergence", Unchecked, "instead of raising Diverged"),
        ("is_deterministic", CarelessSpread, "work on a copy"),
        ("order_does_not_matter", FirstItem, "in another order"),
        ("notices_what_went_wrong", Unmoved, "alike"),
    ],
)
def test_a_spoilt_metric_is_found_out(name, cls, reason):
    outcome = run(name, cls)
    assert outcome.status == "failed" and reason in outcome.reason


def test_planted_models_are_what_they_are_called():
    forget = {one.name: observation(one).model.scores["forget"].mean() for one in PLANTED}
    test = observation(RETRAIN).model.scores["test"].mean()
    assert forget["a perfect retrain"] == pytest.approx(test, abs=1e-9)
    assert forget["the untouched original"] == pytest.approx(test + 4)
    assert forget["a model that over-forgot"] == pytest.approx(test - 4)
