"""Compute a record's values that rest on shadow models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmulbench.core.metric import ByPath, Estimate, PathPopulation, PopulationMetric
from mmulbench.evaluation.values import named, values_of
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.metrics.populations import FALSE_POSITIVE_RATES, percent
from mmulbench.records.schema import Value


@dataclass(frozen=True)
class Population:
    """Holds how sure models of the same training seeds are: by path, then by set, (k models, n pairs).

    Attributes:
        unlearned: models trained on everything, then unlearned.
        originals: models trained on everything.
        retrained: models retrained without the forget set.
    """

    unlearned: ByPath
    originals: ByPath
    retrained: ByPath


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
    """Compute what a population tells, beside what it would tell of originals and of retrains in their place.

    Args:
        population: at least `mmulbench.metrics.populations.FEWEST` training seeds.
        seed: seed of the draws that estimate chance.

    Returns:
        Values by name, headline first; and what is missing, one line each.
    """
    metrics, retrained, originals = population_metrics(), population.retrained, population.originals
    found = {
        "model": _details(metrics, population.unlearned, population, seed),
        "original": _details(metrics, originals, population),
        "retrain": _details(metrics, retrained, population),
    }
    some = next(iter(retrained.values()))["forget"]
    return values_of(metrics, found), [
        f"true-positive rates at {percent(rate)} false positives: they take {round(1 / rate):,} pairs of "
        f"retrained models and there are {some.size:,}; more shadow models give more"
        for rate in FALSE_POSITIVE_RATES
        if rate * some.size < 1
    ]


def _details(
    metrics: Sequence[PopulationMetric], judged: ByPath, population: Population, seed: int | None = None
) -> dict[str, Estimate]:
    """Compute every value of one kind of models by name, such as ``u_lira/matching``, ``klom/matching/test``.

    Args:
        metrics: the metrics to compute.
        judged: confidences of the models to judge.
        population: originals and retrained models of the same training seeds.
        seed: seed of the draws that estimate chance; None where that is not asked for.
    """
    found: dict[str, Estimate] = {}
    for path, unlearned in judged.items():
        on_path = PathPopulation(
            path, unlearned, population.originals[path], population.retrained[path], seed
        )
        for metric in metrics:
            found |= named(metric, metric.compute(on_path), path)
    return found
