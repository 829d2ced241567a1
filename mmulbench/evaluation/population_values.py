"""A record's values that rest on shadow models: what an attacker with a population of models can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmulbench.evaluation.measure import SETS, ByPath
from mmulbench.evaluation.values import Raw, value_of, worst_path
from mmulbench.metrics.catalogue import POPULATION
from mmulbench.metrics.populations import (
    FALSE_POSITIVE_RATES,
    Attack,
    klom,
    klom_of_chance,
    lira,
    rmia,
    u_lira,
)
from mmulbench.records.schema import Value
from mmulbench.seeds import derive

if TYPE_CHECKING:
    pass

TAIL = 95
"""Percentile of KLOM that tells of the pairs that went worst."""


@dataclass(frozen=True)
class Population:
    """Models of the same training seeds, and how sure they are: by path, then by set, (k, n).

    Attributes:
        unlearned: models trained on everything, then unlearned.
        originals: models trained on everything.
        retrained: models retrained without the forget set.
    """

    unlearned: ByPath
    originals: ByPath
    retrained: ByPath


def stacked(models: Sequence[ByPath]) -> ByPath:
    """One row a model."""
    first = models[0]
    return {
        path: {name: np.stack([model[path][name] for model in models]) for name in by_set}
        for path, by_set in first.items()
    }


def population_values(population: Population, seed: int) -> tuple[dict[str, Value], list[str]]:
    """What a population tells, beside what it would tell of originals and of retrains in their place.

    Args:
        population: at least `mmulbench.metrics.populations.FEWEST` training seeds.
        seed: of the draws that say what chance gives.

    Returns:
        Values by name, headline first; and what is missing, one line each.
    """
    retrained, originals = population.retrained, population.originals
    raws = {
        "model": _details(population.unlearned, originals, retrained, seed),
        "original": _details(originals, originals, retrained),
        "retrain": _details(retrained, originals, retrained),
    }
    own, reference = raws["model"], raws["retrain"]
    values = {
        metric.name: value_of(worst_path(metric.name, own, reference), metric.name, raws)
        for metric in POPULATION
    }
    values |= {name: value_of(name, name.split("/")[0], raws) for name in own}
    some = next(iter(retrained.values()))["forget"]
    return values, [
        f"true-positive rates at {_percent(rate)} false positives: they take {round(1 / rate):,} pairs of "
        f"retrained models and there are {some.size:,}; more shadow models give more"
        for rate in FALSE_POSITIVE_RATES
        if rate * some.size < 1
    ]


def _details(
    unlearned: ByPath,
    originals: ByPath,
    retrained: ByPath,
    seed: int | None = None,
) -> dict[str, Raw]:
    """Every value of one kind of models by name, such as ``u_lira/matching``, ``klom/matching/test``.

    Args:
        unlearned: the models to judge.
        originals: of the same training seeds.
        retrained: of the same training seeds.
        seed: of the draws that say what chance gives; None where that is not asked.
    """
    found: dict[str, Raw] = {}
    for path in unlearned:
        own, before, reference = (models[path] for models in (unlearned, originals, retrained))
        worlds = (own["forget"], reference["forget"], before["forget"])
        others = {"unlearned": own["test"], "retrained": reference["test"], "originals": before["test"]}
        found |= _attack(f"u_lira/{path}", u_lira(*worlds[:2]))
        found |= _attack(f"lira/{path}", lira(*worlds))
        found |= _attack(f"rmia/{path}", rmia(*worlds, others))
        for name in SETS:
            by_pair = klom(own[name], reference[name])
            chance = None
            if seed is not None:
                chance = klom_of_chance(own[name], reference[name], derive(seed, "klom", path, name))
            key = f"klom/{path}" if name == "forget" else f"klom/{path}/{name}"
            found[key] = Raw(float(by_pair.mean()), by_pair.size, chance=chance)
            tail = float(np.percentile(by_pair, TAIL))
            found[f"klom/{path}/{name}_{TAIL}th"] = Raw(tail, by_pair.size)
    return found


def _attack(name: str, attack: Attack) -> dict[str, Raw]:
    rates = {
        f"{name}/tpr@{_percent(rate)}": Raw(tpr, attack.n, chance=rate) for rate, tpr in attack.tpr.items()
    }
    return {name: Raw(attack.auc, attack.n, chance=0.5), **rates}


def _percent(rate: float) -> str:
    return f"{100 * rate:g}%"
