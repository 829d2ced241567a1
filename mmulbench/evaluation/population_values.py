"""Compute a record's values that rest on shadow models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from mmulbench.core.metric import PopulationMetric
from mmulbench.core.observations import ByPath, Estimate, PathPopulation
from mmulbench.evaluation.refusals import Refusals
from mmulbench.evaluation.values import Ask, named, values_of
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.metrics.shadow_attacks import FALSE_POSITIVE_RATES, FALSE_POSITIVES, percent, rates_given
from mmulbench.records.schema import Value


@dataclass(frozen=True)
class Population:
    """Holds how sure models of the same training seeds are: by path, then by set, (k models, n pairs).

    Attributes:
        unlearned: models trained on everything, then unlearned.
        originals: models trained on everything.
        retrained: models retrained without the forget set.
        retrained_again: models retrained without it by other training seeds, unrelated to those of the rows.
    """

    unlearned: ByPath
    originals: ByPath
    retrained: ByPath
    retrained_again: ByPath


def stacked(models: Sequence[ByPath]) -> ByPath:
    """Stack the confidences of k models, (n,) each, into arrays of (k, n)."""
    first = models[0]
    return {
        path: {name: np.stack([model[path][name] for model in models]) for name in by_set}
        for path, by_set in first.items()
    }


def population_metrics() -> list[PopulationMetric]:
    """Return the metrics that need shadow models."""
    return [metric for metric in all_metrics() if isinstance(metric, PopulationMetric)]


def population_values(population: Population, seed: int) -> tuple[dict[str, Value], list[str]]:
    """Compute what a population tells, beside what it would tell of originals and of other retrains.

    Args:
        population: at least `mmulbench.metrics.populations.FEWEST` training seeds.
        seed: seed of random draws.

    Returns:
        Values by name, headline first; and what is missing, one line each.
    """
    metrics, refusals = population_metrics(), Refusals()
    ask = refusals.ask
    found = {
        "model": _details(metrics, population.unlearned, population, seed, ask, intervals=True),
        "original": _details(metrics, population.originals, population, seed, ask),
        "retrain": _details(metrics, population.retrained_again, population, seed, ask),
    }
    found = {name: refusals.without(estimates) for name, estimates in found.items()}
    models, pairs = next(iter(population.retrained.values()))["forget"].shape
    every = values_of(metrics, found, refusals.metrics(metrics))
    values, missing = _without_refused(every, metrics, models)
    return values, [*refusals.lines(metrics), *missing] + [
        f"true-positive rates at {percent(rate)} false positives: they take "
        f"{round(FALSE_POSITIVES / rate):,} pairs of retrained models and there are {models * pairs:,}; more "
        "shadow models give more"
        for rate in FALSE_POSITIVE_RATES
        if rate not in rates_given(models * pairs)
    ]


def _details(
    metrics: Sequence[PopulationMetric],
    judged: ByPath,
    population: Population,
    seed: int,
    ask: Ask,
    *,
    intervals: bool = False,
) -> dict[str, Estimate]:
    """Compute every value of one kind of models by name, such as ``u_lira/matching``, ``klom/matching/test``.

    Args:
        metrics: the metrics to compute.
        judged: confidences of the models to judge.
        population: originals and retrained models of the same training seeds.
        seed: seed of random draws.
        ask: has each metric compute.
        intervals: whether intervals are computed.
    """
    found: dict[str, Estimate] = {}
    for path, unlearned in judged.items():
        on_path = PathPopulation(
            path,
            unlearned,
            population.originals[path],
            population.retrained[path],
            population.retrained_again[path],
            seed,
            intervals,
        )
        for metric in metrics:
            found |= named(metric, ask(metric, path, partial(metric.compute, on_path)), path)
    return found


def _without_refused(
    values: Mapping[str, Value], metrics: Sequence[PopulationMetric], models: int
) -> tuple[dict[str, Value], list[str]]:
    """Leave out the headlines that take more models; their details stay.

    Args:
        values: values by name.
        metrics: the metrics that they are of.
        models: number of models of each kind.

    Returns:
        All values, with null where a headline is refused; and one line for each that is.
    """
    few = {metric.name: metric.fewest_models for metric in metrics if models < metric.fewest_models}
    nothing = dict.fromkeys(("value", "retrain", "original", "low", "high"))
    kept = {
        name: value.model_copy(update=nothing) if _headline_of(name) in few else value
        for name, value in values.items()
    }
    return kept, [
        f"{name}: {models} models of each kind; at least {fewest}, so that only its details are given"
        for name, fewest in few.items()
    ]


def _headline_of(name: str) -> str:
    """Return the metric that a value, such as ``klom/matching``, is the headline of, or nothing."""
    metric, _, path = name.partition("/")
    return "" if "/" in path else metric
