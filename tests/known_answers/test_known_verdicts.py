"""The verdict on planted models of which it is known whether they forgot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from mmulbench.core.observations import Estimate, Measurements
from mmulbench.evaluation.by_unit import values_by_unit
from mmulbench.evaluation.values import details, values_of
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.records.schema import Environment, RunResult, RunSpec, Scalar
from mmulbench.report.floor import Floor
from mmulbench.report.verdict import judge_paths, verdict

PATHS = ("contrastive", "matching")
PAIRS = 4
"""Pairs of a unit; half the variance of their confidence is the unit's own, the same in all models."""

TEST_UNITS = 150
JUDGED = ("test", "retain", "mia")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE = Environment(
    mmulbench="0.1.0", git_commit=None, python="3.11", platform="Linux", device="cpu", threads=1, packages={}
)


@dataclass(frozen=True)
class Model:
    """Says how much surer than a retrain a planted model is, in standard deviations of confidence.

    Attributes:
        forget: of pairs of Df, by path.
        everywhere: of all pairs of all sets.
        test: its test utility; retrain's is .75.
    """

    forget: Mapping[str, float] = field(default_factory=dict)
    everywhere: float = 0.0
    test: float = 0.75


MODELS = {
    "perfect": Model(),
    "untouched": Model({"contrastive": 1.5, "matching": 1.0}),
    "uniform": Model(everywhere=-1.5),
    "broken": Model(everywhere=-1.5, test=0.60),
    "better": Model(test=0.95),
    "over": Model({"contrastive": -1.5, "matching": -1.5}),
    "one_path": Model({"contrastive": 1.5}),
    "opposite": Model({"contrastive": 1.5, "matching": -1.5}),
}


def measured(planted: Model, units: int, training: int) -> tuple[Measurements, np.ndarray]:
    """Measure a planted model, with training noise of its own on every pair."""
    noise = np.random.default_rng([7, training])
    losses: dict[str, dict[str, np.ndarray]] = {path: {} for path in PATHS}
    for place, (split, count) in enumerate({"forget": units, "test": TEST_UNITS}.items()):
        for path in PATHS:
            shared = np.random.default_rng([place, PATHS.index(path)])
            own = np.repeat(shared.normal(size=count), PAIRS) + shared.normal(size=count * PAIRS)
            sure = 2 + own + 0.3 * noise.normal(size=count * PAIRS) + 1.4 * planted.everywhere
            sure += 1.4 * planted.forget.get(path, 0.0) if split == "forget" else 0.0
            losses[path][split] = np.logaddexp(0, -sure)
    utility = {"test": planted.test, "retain": 0.8, "forget": 0.5}
    estimates = {name: {"headline": Estimate(value, 100)} for name, value in utility.items()}
    scores = {path: dict.fromkeys(("forget", "retain"), np.zeros(units * PAIRS)) for path in PATHS}
    return Measurements(estimates, scores, losses), np.repeat(np.arange(units), PAIRS)


@cache
def record(name: str, units: int = 70, training: int = 0, method: str = "mmul") -> RunResult:
    """Make the record of a planted model as a run would."""
    metrics = [metric for metric in all_metrics() if metric.name in JUDGED]
    model, of_forget = measured(MODELS[name], units, training)
    original, retrain = (measured(MODELS[one], units, 0)[0] for one in ("untouched", "perfect"))
    by_set = {"forget": of_forget, "test": np.repeat(np.arange(TEST_UNITS), PAIRS)}
    models: dict[str, Measurements] = {"model": model, "original": original, "retrain": retrain}
    found = {one: details(metrics, m, original, retrain, by_set, 0) for one, m in models.items()}
    config: dict[str, Scalar] = {"draw": training} if method == "retrain_again" else {}
    spec = RunSpec(
        task="emoji",
        backbone="albef:packaged",
        method=method,
        config=config,
        forget_size=units,
        seed=42,
        data_fingerprint="d" * 64,
    )
    return RunResult(
        run_id=spec.run_id,
        spec=spec,
        status="done",
        values=values_of(metrics, found),
        by_unit=values_by_unit(model, of_forget),
        command="mmulbench run --task emoji",
        environment=HERE,
        started=NOON,
        finished=NOON,
    )


@cache
def references(units: int = 70) -> tuple[RunResult, ...]:
    """Make the records of retrain, of five others by other training seeds, and of the original."""
    again = [record("perfect", units, draw, "retrain_again") for draw in range(1, 6)]
    retrain, original = record("perfect", units, 0, "retrain"), record("untouched", units, 0, "original")
    return retrain, *again, original


def said_of(name: str, units: int = 70, training: int = 9) -> str:
    judged = record(name, units, training)
    return verdict(judged, Floor.of(judged, references(units)))


def test_a_perfect_retrain_forgot():
    assert said_of("perfect").startswith("mmul forgot: the attack sees as much as on retrain (")
    assert said_of("perfect", training=0).startswith("mmul forgot: ")  # retrain itself


def test_an_untouched_original_did_not_forget():
    sentence = said_of("untouched")
    assert sentence.startswith("mmul did not forget: the contrastive path still knows the forget set (")
    assert "the matching path still knows the forget set (" in sentence


def test_a_uniform_shift_is_like_retrain_to_the_attack_but_may_cost_utility():
    assert said_of("uniform").startswith("mmul forgot: ")
    sentence = said_of("broken")
    assert sentence.startswith("mmul forgot but lost utility: ")
    assert "test utility is 15.0 points below retrain's" in sentence


def test_more_utility_than_retrain_s_is_no_merit():
    assert "test utility is not below retrain's" in said_of("better")


def test_an_over_forgotten_model_over_forgot():
    sentence = said_of("over")
    assert sentence.startswith("mmul over-forgot: the ")
    for path in PATHS:
        assert f"the {path} path finds the forget set harder than retrain does (" in sentence


def test_a_model_that_forgot_on_one_path_only_did_not_forget():
    sentence = said_of("one_path")
    assert sentence.startswith("mmul did not forget: the contrastive path still knows the forget set (")
    assert "matching" not in sentence
    sentence = said_of("opposite")
    assert sentence.startswith("mmul did not forget: the contrastive path still knows the forget set (")
    assert "the matching path finds the forget set harder" in sentence


@pytest.mark.parametrize("name", MODELS)
def test_sixteen_units_cannot_be_judged(name):
    lost = " and lost utility" if name == "broken" else ""
    expected = f"mmul cannot be judged{lost}: 16 forget units are too few (at least 50), test utility is "
    assert said_of(name, units=16).startswith(expected)


def test_units_are_compared_in_pairs():
    # The units' own difficulty is shared with retrain, so that far less than the AUC's error is resolved.
    judged = record("perfect", training=9)
    paired = judge_paths(judged, Floor.of(judged, references()))[0].resolution
    alone = judge_paths(judged, Floor())[0].resolution
    assert paired < alone / 3


def test_the_noise_floor_is_beyond_other_retrains_and_hides_what_is_within():
    judged = record("one_path", training=9)
    floor = Floor.of(judged, references())
    for path in PATHS:
        values = [one.values[f"mia/{path}"] for one in references() if one.spec.method == "retrain_again"]
        assert floor.noise(path) >= max(abs(one.value - one.retrain) for one in values)
        assert floor.draws[path] == 5
    wide = replace(floor, bounds=dict.fromkeys(PATHS, 0.5))
    assert verdict(judged, wide).startswith("mmul cannot be judged: the attack finds nothing in the original")
    assert "two retrains differ by up to .50" in verdict(judged, wide)
