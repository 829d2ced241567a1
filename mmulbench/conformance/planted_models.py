"""Scores, losses, confidences and outputs of models whose behaviour is known, to try metrics on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from mmulbench.conformance.checks import SkipCheck
from mmulbench.core.metric import (
    HEADLINE,
    SETS,
    CombinedMetric,
    Metric,
    PathMetric,
    PerPathMetric,
    PopulationMetric,
    RecoveryMetric,
    UnimodalMetric,
    UtilityMetric,
)
from mmulbench.core.observations import (
    Estimate,
    Estimates,
    PairNumbers,
    PathObservation,
    PathPopulation,
    PathRecovery,
    UnimodalObservation,
)
from mmulbench.core.registry import METRICS
from mmulbench.seeds import generator

if TYPE_CHECKING:
    from mmulbench.core.observations import Booleans, Floats

T = TypeVar("T")

Array = NDArray[Any]

Change = Callable[[str, Array], Array]
"""Takes the name of a set and an array whose last axis is its pairs; returns another array."""

SIZES = {"test": 300, "retain": 600, "forget": 300, "unrelated": 300}
"""Pairs in each set; three of a unit."""

MODELS = 16
"""Shadow models of each kind."""

ITEMS, DIMENSIONS = 120, 8
"""Shape of the pooled outputs of one modality."""

SEED = 7


@dataclass(frozen=True)
class PlantedModel:
    """Describes a model by how well it knows each set, in standard deviations above a pair never seen.

    Attributes:
        name: what it is, for messages.
        forget: level of the forget set; `retain` and ``test`` have the levels of a trained model.
        utility: utility on the forget set.
        noise: standard deviation of what has been lost of the original's pooled outputs, whose own is 1.
        is_blind: whether all sets look alike to it, to the original and to retrain.
    """

    name: str
    forget: float
    utility: float
    noise: float
    is_blind: bool = False

    def levels(self) -> dict[str, float]:
        """Return the level of association scores by set."""
        if self.is_blind:
            return dict.fromkeys(SIZES, 0.0)
        return {"test": 0.0, "retain": 4.0, "forget": self.forget, "unrelated": -6.0}


RETRAIN = PlantedModel("a perfect retrain", 0.0, 0.5, 0.5)
ORIGINAL = PlantedModel("the untouched original", 4.0, 0.9, 0.0)
BLIND = PlantedModel("a model to which all sets look alike", 0.0, 0.1, 1.0, is_blind=True)
SHIFTED_UP = PlantedModel("a model that knows the forget set better than before", 8.0, 0.95, 0.2)
SHIFTED_DOWN = PlantedModel("a model that over-forgot", -4.0, 0.1, 2.0)
PLANTED = (RETRAIN, ORIGINAL, BLIND, SHIFTED_UP, SHIFTED_DOWN)


def observation(planted: PlantedModel) -> PathObservation:
    """Make the arrays of one model, its original and its retrain on one path."""
    original, retrain = (replace(one, is_blind=planted.is_blind) for one in (ORIGINAL, RETRAIN))
    return PathObservation(
        path="planted",
        model=_numbers(planted, "retrain" if planted == RETRAIN else "model"),
        original=_numbers(original, "original"),
        retrain=_numbers(retrain, "retrain"),
        units={name: np.repeat(np.arange(SIZES[name] // 3), 3) for name in SETS},
        seed=SEED,
    )


def _numbers(planted: PlantedModel, role: str) -> PairNumbers:
    """Make scores without luck, normal quantiles around a level, and the losses that go with them."""
    scores = {}
    for name, level in planted.levels().items():
        quantiles = norm.ppf((np.arange(SIZES[name]) + 0.5) / SIZES[name])
        scores[name] = level + generator(SEED, role, name).permutation(quantiles)
    return PairNumbers(scores, {name: np.logaddexp(0.0, -scores[name]) for name in SETS})


def encoders(planted: PlantedModel) -> UnimodalObservation:
    """Make the pooled outputs of one model, its original and its retrain in one modality."""
    return UnimodalObservation(
        modality="planted",
        model=_pooled(planted, "retrain" if planted == RETRAIN else "model"),
        original=_pooled(ORIGINAL, "original"),
        retrain=_pooled(RETRAIN, "retrain"),
        seed=SEED,
    )


def _pooled(planted: PlantedModel, role: str) -> Floats:
    """Make what the original's outputs have in all models, and noise; to a blind model all is noise."""
    shape = (ITEMS, DIMENSIONS)
    known, lost = (generator(SEED, *names).normal(size=shape) for names in (("pooled",), ("pooled", role)))
    return planted.noise * lost + (0.0 if planted.is_blind else 1.0) * known


def population(planted: PlantedModel) -> PathPopulation:
    """Make the confidences of unlearned models, originals and both kinds of retrained models on one path."""
    retrained = replace(RETRAIN, is_blind=planted.is_blind)
    original = replace(ORIGINAL, is_blind=planted.is_blind)
    role = "retrained again" if planted == RETRAIN else "unlearned"
    return PathPopulation(
        path="planted",
        unlearned=_confidences(planted, role),
        originals=_confidences(original, "originals"),
        retrained=_confidences(retrained, "retrained"),
        retrained_again=_confidences(retrained, "retrained again"),
        seed=SEED,
    )


def _confidences(planted: PlantedModel, role: str) -> dict[str, Floats]:
    """Make (k, n) confidences: a level for every pair, shared by all roles, and noise for every model."""
    levels = planted.levels()
    return {
        name: levels[name]
        + generator(SEED, name).normal(scale=3.0, size=SIZES[name])
        + generator(SEED, role, name).normal(size=(MODELS, SIZES[name]))
        for name in SETS
    }


def recovery(planted: PlantedModel) -> PathRecovery:
    """Make the losses of one model and of retrain that are trained on half of the forget set again."""
    retrain, count = replace(RETRAIN, is_blind=planted.is_blind), SIZES["forget"]
    shown = np.arange(count) < count // 2
    return PathRecovery("planted", _relearned(planted, shown), _relearned(retrain, shown), shown)


def _relearned(planted: PlantedModel, shown: Booleans) -> dict[int, dict[str, Floats]]:
    """Make losses that fall with every step on what is shown."""
    losses = _numbers(planted, "retrain" if planted == RETRAIN else "model").losses
    return {
        step: {"test": losses["test"], "forget": losses["forget"] * np.where(shown, 1 / (1 + step), 1.0)}
        for step in RecoveryMetric.steps
    }


def utilities(planted: PlantedModel) -> dict[str, dict[str, Estimate]]:
    """Make the task's measures of one model, by set."""
    levels = {"test": 0.6, "retain": 0.9, "forget": planted.utility}
    if planted.is_blind:
        levels = dict.fromkeys(SETS, planted.utility)
    return {name: {HEADLINE: Estimate(level, 100, chance=0.1)} for name, level in levels.items()}


@dataclass(frozen=True)
class MetricTrial:
    """Tries a metric on planted models.

    Attributes:
        metric: the metric.
    """

    metric: Metric

    @property
    def label(self) -> str:
        """Empty: there is one place to try a metric."""
        return ""

    def estimates(self, planted: PlantedModel) -> Estimates:
        """Compute the metric of a planted model."""
        metric = self.metric
        if isinstance(metric, UtilityMetric):
            return metric.compute(utilities(planted))
        if isinstance(metric, PathMetric):
            return metric.compute(observation(planted))
        if isinstance(metric, UnimodalMetric):
            return metric.compute(encoders(planted))
        if isinstance(metric, PopulationMetric):
            return metric.compute(population(planted))
        if isinstance(metric, RecoveryMetric):
            return metric.compute(recovery(planted))
        assert isinstance(metric, CombinedMetric)
        names = [
            f"{name}/planted" if issubclass(METRICS.get(name), PerPathMetric) else name
            for name in metric.needs.values
        ]
        values, retrain = (dict.fromkeys(names, one.utility) for one in (planted, RETRAIN))
        return {HEADLINE: Estimate(metric.compute(values, retrain), len(values))}

    def headline(self, planted: PlantedModel) -> float:
        """Compute the headline of a planted model.

        Raises:
            SkipCheck: the metric has no headline.
        """
        if not self.metric.has_headline:
            raise SkipCheck("it has details only, no headline")
        return self.estimates(planted)[HEADLINE].value

    def with_arrays(self, planted: PlantedModel, change: Change) -> Estimates:
        """Compute the metric after a change of every array that it is given, units included.

        Args:
            planted: the model.
            change: what is done to each array.

        Raises:
            SkipCheck: the metric reads no arrays.
        """
        metric = self.metric

        def changed(by_set: Mapping[str, Array]) -> dict[str, Array]:
            return {name: change(name, array) for name, array in by_set.items()}

        if isinstance(metric, PathMetric):
            seen = observation(planted)
            model, original, retrain = (
                PairNumbers(changed(one.scores), changed(one.losses))
                for one in (seen.model, seen.original, seen.retrain)
            )
            return metric.compute(
                replace(seen, model=model, original=original, retrain=retrain, units=changed(seen.units))
            )
        if isinstance(metric, UnimodalMetric):
            return metric.compute(_changed_items(encoders(planted), change))
        if isinstance(metric, PopulationMetric):
            models = population(planted)
            unlearned, originals = changed(models.unlearned), changed(models.originals)
            retrained, again = changed(models.retrained), changed(models.retrained_again)
            return metric.compute(
                replace(
                    models,
                    unlearned=unlearned,
                    originals=originals,
                    retrained=retrained,
                    retrained_again=again,
                )
            )
        if isinstance(metric, RecoveryMetric):
            learnt = recovery(planted)
            own, reference = (
                {step: changed(by_set) for step, by_set in one.items()}
                for one in (learnt.model, learnt.retrain)
            )
            shown = change("forget", learnt.shown)
            return metric.compute(replace(learnt, model=own, retrain=reference, shown=shown))
        raise SkipCheck("it reads values, no pairs")

    def with_needs_only(self, planted: PlantedModel) -> Estimates:
        """Compute the metric where the sets that its needs do not name are absent.

        Raises:
            KeyError: the metric reads one of them.
        """
        metric, needs = self.metric, self.metric.needs
        if isinstance(metric, UtilityMetric):
            return metric.compute(_only(utilities(planted), needs.utility))
        if isinstance(metric, PathMetric):
            seen = observation(planted)
            model = PairNumbers(
                _only(seen.model.scores, needs.scores), _only(seen.model.losses, needs.losses)
            )
            original = PairNumbers(
                _only(seen.original.scores, needs.original_scores),
                _only(seen.original.losses, needs.original_losses),
            )
            retrain = PairNumbers({}, _only(seen.retrain.losses, needs.retrain_losses))
            return metric.compute(replace(seen, model=model, original=original, retrain=retrain))
        if isinstance(metric, PopulationMetric):
            models = population(planted)
            return metric.compute(
                replace(
                    models,
                    unlearned=_only(models.unlearned, needs.confidence),
                    originals=_only(models.originals, needs.confidence),
                    retrained=_only(models.retrained, needs.confidence),
                    retrained_again=_only(models.retrained_again, needs.confidence),
                )
            )
        if isinstance(metric, RecoveryMetric):
            learnt = recovery(planted)
            own, reference = (
                {step: _only(by_set, needs.relearned_losses) for step, by_set in one.items()}
                for one in (learnt.model, learnt.retrain)
            )
            return metric.compute(replace(learnt, model=own, retrain=reference))
        return self.estimates(planted)


def _changed_items(seen: UnimodalObservation, change: Change) -> UnimodalObservation:
    """Change every array of an observation, whose items are along the first axis."""
    model, original = (change("items", one.T).T for one in (seen.model, seen.original))
    retrain = None if seen.retrain is None else change("items", seen.retrain.T).T
    return replace(seen, model=model, original=original, retrain=retrain)


def _only(by_set: Mapping[str, T], names: tuple[str, ...]) -> dict[str, T]:
    return {name: value for name, value in by_set.items() if name in names}


def metric_trial(name: str) -> MetricTrial:
    """Find a metric and make ready to try it.

    Raises:
        UsageError: the metric is unknown.
    """
    return MetricTrial(METRICS.get(name)(name))


def shuffled(name: str, array: Array) -> Array:
    """Permute the pairs of a set: all arrays of the set in the same way.

    Args:
        name: name of the set.
        array: (n,) or (k, n).
    """
    order = generator(SEED, "order", name).permutation(array.shape[-1])
    return array[..., order]
