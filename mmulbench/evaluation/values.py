"""Turn measurements into a record's values: every metric for this model, the original and retrain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mmulbench.core.metric import (
    HEADLINE,
    SETS,
    CombinedMetric,
    Metric,
    PathMetric,
    PerPathMetric,
    PopulationMetric,
    UnimodalMetric,
    UtilityMetric,
)
from mmulbench.core.observations import (
    Estimate,
    Estimates,
    Measurements,
    PairNumbers,
    PathObservation,
    UnimodalObservation,
)
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.refusals import Refusals, name_of
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.records.schema import ScoreHistogram, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmulbench.core.data import Integers

    Floats = NDArray[np.float64]

SCORE_EDGES = np.linspace(-25.0, 25.0, 51)
"""Edges of the bins of association scores. All runs share them, so that seeds can be pooled."""

SCORE_GROUPS = ("forget", "retain", "unrelated")
"""Sets of pairs whose scores a record shows as histograms."""

Units = Mapping[str, "Integers"]
"""By set, the forget unit of each of its pairs."""

Ask = Callable[[Metric, str, Callable[[], Estimates]], Estimates]
"""Has a metric compute on a path or modality, as `Refusals.ask` does."""


def compute_values(
    model: Measurements,
    original: Measurements,
    retrain: Measurements | None,
    units: Units,
    seed: int,
    only: Collection[str] | None = None,
) -> tuple[dict[str, Value], list[str]]:
    """Compute all values of a record that need no shadow models.

    Args:
        model: measurements of the unlearned model.
        original: measurements of the untouched original.
        retrain: measurements of the reference, or None where it was skipped.
        units: unit of each pair, for cross-validation and bootstrap.
        seed: seed of the bootstrap.
        only: names of the metrics to compute; None for all. Combined ones need those that they read.

    Returns:
        Values by name, headline first; and what is missing, one line each.
    """
    metrics = [
        metric
        for metric in all_metrics()
        if not isinstance(metric, PopulationMetric) and (only is None or metric.name in only)
    ]
    models, refusals = {"model": model, "original": original, "retrain": retrain}, Refusals()
    found = {
        name: details(metrics, measured, original, retrain, units, seed, refusals.ask)
        for name, measured in models.items()
        if measured is not None
    }
    found = {name: refusals.without(estimates) for name, estimates in found.items()}
    values = values_of(metrics, found, refusals.metrics(metrics))
    return values, [*_missing(metrics, model, retrain), *refusals.lines(metrics)]


def demand(metric: Metric, path: str, compute: Callable[[], Estimates]) -> Estimates:
    """Return what a metric computes; where it refuses, so does this.

    Args:
        metric: the metric.
        path: association path or modality; empty for a metric of the whole model.
        compute: has the metric compute.
    """
    return compute()


def _missing(metrics: Sequence[Metric], model: Measurements, retrain: Measurements | None) -> list[str]:
    """Say what a record has no values of, and why, one line each."""
    missing = []
    if retrain is None:
        names = [m.name for m in metrics if m.needs.retrain_losses or isinstance(m, CombinedMetric)]
        missing.append(
            f"retrain's values, {', '.join(names)} and cost ratios: run without --no-reference to get them; "
            "worst-case paths were chosen without retrain"
        )
    if not model.pooled:
        names = [metric.name for metric in metrics if isinstance(metric, UnimodalMetric)]
        missing.append(f"{', '.join(names)}: this model has no outputs of single modalities")
    return missing


def details(
    metrics: Sequence[Metric],
    model: Measurements,
    original: Measurements | None,
    retrain: Measurements | None,
    units: Units,
    seed: int,
    ask: Ask = demand,
) -> dict[str, Estimate]:
    """Compute every value of one model by name, such as ``test``, ``test/i2t_r@1``, ``mia/matching``.

    Args:
        metrics: metrics to compute; those of other values are left out.
        model: measurements of the model.
        original: measurements of the untouched original, None where no metric reads them.
        retrain: measurements of the reference, None where there is none or no metric reads them.
        units: unit of each pair.
        seed: seed of the bootstrap.
        ask: has each metric compute.
    """
    found: dict[str, Estimate] = {}

    def add(metric: Metric, path: str, compute: Callable[[], Estimates]) -> None:
        found.update(named(metric, ask(metric, path, compute), path))

    for metric in metrics:
        if isinstance(metric, UtilityMetric):
            add(metric, "", partial(metric.compute, model.utility))
    for path in model.scores:
        own, before, after = (_on_path(measured, path) for measured in (model, original, retrain))
        observation = PathObservation(path, own, before, units, seed, retrain=after)
        for metric in metrics:
            if isinstance(metric, PathMetric) and (retrain is not None or not metric.needs.retrain_losses):
                add(metric, path, partial(metric.compute, observation))
    unimodal = [metric for metric in metrics if isinstance(metric, UnimodalMetric)]
    if original is not None:
        for modality, outputs in model.pooled.items():
            reference = None if retrain is None else retrain.pooled[modality]
            encoders = UnimodalObservation(modality, outputs, original.pooled[modality], reference, seed)
            for one in unimodal:
                add(one, modality, partial(one.compute, encoders))
    return found


class _Numbers(dict[str, "Floats"]):
    """Holds numbers by the name of a set of pairs; of what was left out, says why to the metric that asks."""

    def __missing__(self, name: str) -> Floats:
        """Refuse.

        Raises:
            NotApplicable: There are no numbers of this set.
            KeyError: There is no such set.
        """
        if name == "unrelated":
            raise NotApplicable("no two items of the retain set are unrelated")
        if name in SETS:
            raise NotApplicable("there are no validation pairs, the negatives of the contrastive loss")
        raise KeyError(name)


def _on_path(measured: Measurements | None, path: str) -> PairNumbers:
    if measured is None:
        return PairNumbers({}, {})
    return PairNumbers(_Numbers(measured.scores[path]), _Numbers(measured.losses.get(path, {})))


def named(metric: Metric, estimates: Estimates, path: str = "") -> dict[str, Estimate]:
    """Give a metric's estimates the names that they have in records.

    Args:
        metric: the metric, whose chance level the headline takes where it has none.
        estimates: estimates by part.
        path: association path or modality; empty for a metric of the whole model.
    """
    prefix = name_of(metric, path)
    found = {}
    for part, estimate in estimates.items():
        if part == HEADLINE:
            chance = metric.chance if estimate.chance is None else estimate.chance
            found[prefix] = replace(estimate, chance=chance)
        else:
            found[f"{prefix}/{part}"] = estimate
    return found


def values_of(
    metrics: Iterable[Metric],
    found: Mapping[str, Mapping[str, Estimate]],
    without_headline: Collection[str] = (),
) -> dict[str, Value]:
    """Set every estimate of a model beside the original's and retrain's.

    Args:
        metrics: metrics of the record, in its order.
        found: estimates by name, of ``model``, ``original`` and perhaps ``retrain``.
        without_headline: names of the metrics whose headline cannot be computed: it is null.

    Returns:
        Values by name: headline first, then those of the headline's parts, then details.
    """
    by_name = {metric.name: metric for metric in metrics}
    own, reference = found["model"], found.get("retrain")
    headline = {
        name: Value(value=None, n=0, direction=metric.direction)
        if name in without_headline
        else value_of(headline_source(metric, own, reference), metric, found)
        for name, metric in by_name.items()
        if metric.has_headline
        and (name in without_headline or any(one.partition("/")[0] == name for one in own))
    }
    for name, metric in by_name.items():
        if isinstance(metric, CombinedMetric) and name not in without_headline:
            headline[name] = combined(metric, names_read(metric, by_name, own), found)
    rest = {name: value_of(name, by_name[name.split("/")[0]], found) for name in own if name not in headline}
    return {**headline, **rest}


def headline_source(
    metric: Metric, own: Mapping[str, Estimate], retrain: Mapping[str, Estimate] | None
) -> str:
    """Name the estimate that a headline value is taken from.

    Args:
        metric: the metric.
        own: estimates of the model by name.
        retrain: estimates of the reference by name, None where there is none.
    """
    if isinstance(metric, UnimodalMetric):
        return min(names_of_parts(metric, own), key=lambda name: own[name].value)
    return worst_path(metric, own, retrain) if isinstance(metric, PerPathMetric) else metric.name


def worst_path(
    metric: PerPathMetric, own: Mapping[str, Estimate], retrain: Mapping[str, Estimate] | None
) -> str:
    """Name the estimate of the worst path, by the rule of `PerPathMetric`.

    Args:
        metric: the metric.
        own: estimates of the model by name.
        retrain: estimates of the reference by name, None where there is none.
    """
    values = {name: own[name].value for name in names_of_parts(metric, own)}
    largest = max(values, key=lambda name: values[name])
    smallest = min(values, key=lambda name: values[name])
    if metric.direction == "higher":
        return smallest
    if metric.direction == "lower":
        return largest
    if retrain is None:
        chance = metric.chance or 0.0
        furthest = max(values, key=lambda name: abs(values[name] - chance))
        by_rule = {"smallest": smallest, "largest": largest, "furthest_from_chance": furthest}
        return smallest if metric.direction == "not_below_retrain" else by_rule[metric.worst_without_retrain]
    differences = {name: value - retrain[name].value for name, value in values.items()}
    if not any(differences.values()):  # retrain against itself
        return largest
    if metric.direction == "not_below_retrain":
        return min(differences, key=lambda name: differences[name])
    return max(differences, key=lambda name: abs(differences[name]))


def names_of_parts(metric: Metric, own: Iterable[str]) -> list[str]:
    """Name the estimates that a metric's headline is chosen from, such as ``mia/matching``.

    Args:
        metric: a metric that is measured on each path or modality.
        own: names of all estimates of a model.
    """
    return [name for name in own if name.startswith(f"{metric.name}/") and name.count("/") == 1]


def names_read(metric: CombinedMetric, metrics: Mapping[str, Metric], own: Iterable[str]) -> list[str]:
    """Name the estimates that a combined metric reads: of each path those that are measured on paths.

    Args:
        metric: the combined metric.
        metrics: the metrics that it reads, by name.
        own: names of all estimates of a model.
    """
    names: list[str] = []
    for name in metric.needs.values:
        is_by_path = isinstance(metrics[name], PerPathMetric)
        names += names_of_parts(metrics[name], own) if is_by_path else [name]
    return names


def value_of(source: str, metric: Metric, found: Mapping[str, Mapping[str, Estimate]]) -> Value:
    """Set one estimate beside the original's and retrain's.

    Args:
        source: name of the estimate.
        metric: the metric that it belongs to, whose direction it has.
        found: estimates by name, of ``model``, ``original`` and perhaps ``retrain``.
    """
    own, retrain = found["model"][source], found.get("retrain")
    return Value(
        value=own.value,
        n=own.n,
        direction=metric.direction,
        retrain=retrain[source].value if retrain else None,
        original=found["original"][source].value,
        low=own.low,
        high=own.high,
        chance=own.chance,
    )


def combined(
    metric: CombinedMetric, names: Sequence[str], found: Mapping[str, Mapping[str, Estimate]]
) -> Value:
    """Compute a metric of other values; it is null where there is no retrain.

    Args:
        metric: the metric.
        names: the estimates that it reads.
        found: estimates by name, of ``model``, ``original`` and perhaps ``retrain``.
    """
    by_model = {model: {name: estimates[name].value for name in names} for model, estimates in found.items()}
    reference = by_model.get("retrain")
    own, original, retrain = (
        None if reference is None else metric.compute(by_model[model], reference)
        for model in ("model", "original", "retrain")
    )
    return Value(
        value=own, n=len(metric.needs.values), direction=metric.direction, retrain=retrain, original=original
    )


def score_histograms(model: Measurements, original: Measurements) -> dict[str, ScoreHistogram]:
    """Count association scores before and after unlearning, by path.

    Args:
        model: measurements of the unlearned model.
        original: measurements of the untouched original.
    """
    from mmulbench.metrics.separation import histogram

    found = {}
    for path, after in model.scores.items():
        before = original.scores[path]
        found[path] = ScoreHistogram(
            edges=SCORE_EDGES.tolist(),
            before=histogram(
                {group: before[group] for group in SCORE_GROUPS if group in before}, SCORE_EDGES
            ),
            after=histogram({group: after[group] for group in SCORE_GROUPS if group in after}, SCORE_EDGES),
        )
    return found
