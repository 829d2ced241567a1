"""What every metric must hold to, tried on arrays of which the truth is known."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import get_args

import numpy as np

from mmulbench.conformance.checks import Check, ContractViolation, SkipCheck, demand
from mmulbench.conformance.planted_models import (
    BLIND,
    ORIGINAL,
    PLANTED,
    RETRAIN,
    SHIFTED_DOWN,
    SHIFTED_UP,
    Array,
    Change,
    MetricTrial,
    encoders,
    observation,
    shuffled,
)
from mmulbench.core.metric import HEADLINE, CombinedMetric, PathMetric, UnimodalMetric, UtilityMetric
from mmulbench.core.observations import Estimates
from mmulbench.errors import Diverged
from mmulbench.records.schema import Direction

AT_CHANCE = 0.15
"""Largest distance from the chance level where all sets look alike, relative where the level is above 1."""

TOLD_APART = 1e-6
"""Least difference that tells two models apart."""


def metric_checks() -> list[Check]:
    """Return everything a metric must hold to, in the order in which to read it."""
    return [Check(run, once=True) for run in EVERYWHERE]


def describes_itself(trial: MetricTrial) -> None:
    """It states title, definition, source, direction, chance level, and what it reads."""
    metric = trial.metric
    for name in ("title", "definition", "source"):
        text = getattr(metric, name, "")
        demand(isinstance(text, str) and bool(text.strip()), f'set {name} = "…" in {type(metric).__name__}')
    directions = get_args(Direction)
    demand(
        getattr(metric, "direction", None) in directions, f"set direction to one of {', '.join(directions)}"
    )
    demand(hasattr(metric, "chance"), "set chance to what a model without any effect gives, None if unknown")
    needs = getattr(metric, "needs", None)
    demand(needs is not None and needs != type(needs)(), "set needs = Needs(…) to the numbers that it reads")


def gives_numbers(trial: MetricTrial) -> None:
    """It gives finite numbers within its bounds, the headline it promises, and says what they rest on."""
    for planted in PLANTED:
        found = trial.estimates(planted)
        demand(
            (HEADLINE in found) == trial.metric.has_headline,
            "return {HEADLINE: Estimate(…)}, or set has_headline = False where there are details only",
        )
        for part, one in found.items():
            demand(math.isfinite(one.value), f"{part} of {planted.name} is {one.value}: give a finite number")
            low, high = trial.metric.bounds_of(part)
            demand(
                low - TOLD_APART <= one.value <= high + TOLD_APART,
                f"{part} of {planted.name} is {one.value:g}, outside of its bounds, {low:g} to {high:g}: set "
                "bounds, or part_bounds for a detail, to what its values can be",
            )
            demand(one.n > 0, f"{part} rests on n = {one.n}: give how many pairs or values were used")
            if one.low is not None and one.high is not None:
                demand(one.low <= one.value <= one.high, f"{part} lies outside of its own interval")


def is_deterministic(trial: MetricTrial) -> None:
    """The same input gives the same values, bit for bit, and stays as it was."""
    for planted in PLANTED:
        np.random.seed(1)
        first = trial.estimates(planted)
        np.random.seed(2)
        demand(
            first == trial.estimates(planted),
            "it came out otherwise the second time: draw from np.random.default_rng(observation.seed)",
        )
    if isinstance(trial.metric, UnimodalMetric):
        items = encoders(ORIGINAL)
        outputs = items.model.copy()
        trial.metric.compute(items)
        demand((items.model == outputs).all(), "it changed its input (pooled outputs): work on a copy")
    if isinstance(trial.metric, PathMetric):
        given = observation(ORIGINAL)
        kept = copy.deepcopy(given)
        trial.metric.compute(given)
        changed = [
            name for name, array in kept.model.losses.items() if not (array == given.model.losses[name]).all()
        ]
        changed += [
            name for name, array in kept.model.scores.items() if not (array == given.model.scores[name]).all()
        ]
        demand(not changed, f"it changed its input ({', '.join(changed)}): work on a copy")


def order_does_not_matter(trial: MetricTrial) -> None:
    """The order of the pairs changes nothing."""
    for planted in PLANTED:
        before, after = trial.estimates(planted), trial.with_arrays(planted, shuffled)
        demand(
            _close(before, after),
            f"with the pairs in another order it gives {_text(after)} instead of {_text(before)}",
        )


def reads_what_it_needs(trial: MetricTrial) -> None:
    """It reads only what its needs name."""
    try:
        found = trial.with_needs_only(ORIGINAL)
    except KeyError as error:
        raise ContractViolation(
            f"it reads {error}, which needs does not name: add it to needs = Needs(…)"
        ) from error
    demand(found == trial.estimates(ORIGINAL), "it gives something else where it is given only what it needs")


def retrain_is_no_worse(trial: MetricTrial) -> None:
    """By its direction a perfect retrain is no worse than the untouched original."""
    direction = trial.metric.direction
    if direction in ("closest_to_retrain", "not_below_retrain"):
        raise SkipCheck("retrain is its own best value")
    retrain, original = trial.headline(RETRAIN), trial.headline(ORIGINAL)
    better = retrain >= original if direction == "higher" else retrain <= original
    demand(better, f"{direction} is better, but retrain has {retrain:.3f} and the original {original:.3f}")


def notices_what_went_wrong(trial: MetricTrial) -> None:
    """A model that still knows the forget set, or one that over-forgot it, is told from retrain."""
    if isinstance(trial.metric, UtilityMetric):
        raise SkipCheck("it is about what the model can do, which may stay")
    retrain = trial.headline(RETRAIN)
    shifts = [trial.headline(planted) for planted in (SHIFTED_UP, SHIFTED_DOWN)]
    demand(
        any(abs(value - retrain) > TOLD_APART for value in shifts),
        f"it is {retrain:.3f} of retrain, of a model that knows more and of one that over-forgot alike",
    )


def chance_is_as_stated(trial: MetricTrial) -> None:
    """Where all sets look alike to all models, the value is at the chance level."""
    if isinstance(trial.metric, CombinedMetric):
        raise SkipCheck("it combines other values, whose chance levels they state themselves")
    value, stated = trial.headline(BLIND), trial.estimates(BLIND)[HEADLINE].chance
    chance = trial.metric.chance if stated is None else stated
    if chance is None:
        raise SkipCheck("it has no chance level")
    demand(
        abs(value - chance) <= AT_CHANCE * max(1.0, abs(chance)),
        f"where all sets look alike it is {value:.3f}, but chance is said to be {chance:.3f}",
    )


def refuses_what_does_not_fit(trial: MetricTrial) -> None:
    """Sets without pairs, and arrays with an axis too many, raise ValueError."""
    _demand_raises(ValueError, trial, lambda _, array: array[..., :0], "sets without pairs")
    _demand_raises(ValueError, trial, lambda _, array: array[None], "arrays with an axis too many")


def reports_divergence(trial: MetricTrial) -> None:
    """NaN raises Diverged, so that the run is recorded as diverged."""

    def broken(_: str, array: Array) -> Array:
        return array if array.dtype.kind == "i" else np.full_like(array, np.nan)

    _demand_raises(Diverged, trial, broken, "NaN")


EVERYWHERE: tuple[Callable[[MetricTrial], None], ...] = (
    describes_itself,
    gives_numbers,
    is_deterministic,
    order_does_not_matter,
    reads_what_it_needs,
    retrain_is_no_worse,
    notices_what_went_wrong,
    chance_is_as_stated,
    refuses_what_does_not_fit,
    reports_divergence,
)


def _demand_raises(expected: type[Exception], trial: MetricTrial, change: Change, given: str) -> None:
    try:
        found = trial.with_arrays(ORIGINAL, change)
    except expected:
        return
    hint = "pass every array through mmulbench.finite_vector, which raises it"
    raise ContractViolation(
        f"given {given} it returned {_text(found)} instead of raising {expected.__name__}: {hint}"
    )


def _close(before: Estimates, after: Estimates) -> bool:
    return before.keys() == after.keys() and all(
        math.isclose(one.value, after[part].value, rel_tol=TOLD_APART, abs_tol=TOLD_APART)
        for part, one in before.items()
    )


def _text(found: Estimates) -> str:
    return ", ".join(f"{part} {one.value:.6g}" for part, one in found.items())
