"""From raw measurements to a record's values: every metric for this model, the original and retrain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mmulbench.core.data import Integers
from mmulbench.evaluation.measure import SETS, Measurements
from mmulbench.metrics.catalogue import HEADLINE, METRICS
from mmulbench.metrics.distance import retrain_gap
from mmulbench.metrics.membership import MembershipAttacker, loss_attack, mi_ratio
from mmulbench.metrics.separation import decoupling, forget_retain_auc, histogram
from mmulbench.records.schema import ScoreHistogram, Value

SCORE_EDGES = np.linspace(-25.0, 25.0, 51)
"""Bins of association scores: the same for every run, so that seeds can be pooled; the ends hold what lies
beyond."""

WORST_PATH = ("forget_vs_retain_auc", "mia", "mi_ratio")
"""Headline metrics that are the worst case over association paths."""

GAP_PARTS = ("test", "retain", "forget", "mia")


@dataclass(frozen=True)
class Raw:
    """A number before it is set beside retrain's."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    chance: float | None = None


Units = Mapping[str, Integers]
"""By set, the forget unit of each of its pairs."""


def compute_values(
    model: Measurements,
    original: Measurements,
    retrain: Measurements | None,
    units: Units,
    seed: int,
) -> tuple[dict[str, Value], list[str]]:
    """All values of a record.

    Args:
        model: of the unlearned model.
        original: of the untouched original, on which the MI attacker is fitted.
        retrain: of the reference, or None where it was skipped.
        units: each pair's unit, for cross-validation and bootstrap.
        seed: of the bootstrap.

    Returns:
        Values by name, headline first; and what is missing, one line each.
    """
    raws = {
        name: details(measured, original, units, seed)
        for name, measured in (("model", model), ("original", original), ("retrain", retrain))
        if measured is not None
    }
    own, reference = raws["model"], raws.get("retrain")
    headline: dict[str, Value] = {}
    for metric in (one.name for one in HEADLINE):
        if metric in SETS:
            headline[metric] = value_of(metric, metric, raws)
        elif metric in WORST_PATH:
            headline[metric] = value_of(worst_path(metric, own, reference), metric, raws)
    headline["retrain_gap"] = _gap(headline)
    rest = {name: value_of(name, name.split("/")[0], raws) for name in own if name not in headline}
    missing = []
    if retrain is None:
        missing.append(
            "retrain's values, retrain_gap and cost ratios: run without --no-reference to get them; "
            "worst-case paths were chosen without retrain"
        )
    return {**headline, **rest}, missing


def distance_to_retrain(model: Measurements, retrain: Measurements, units: Units) -> float | None:
    """`retrain_gap` alone, the mean distance over ``GAP_PARTS``: what tuning makes small.

    Args:
        model: of the unlearned model.
        retrain: of the reference.
        units: each pair's unit, for cross-validation.
    """
    own, reference = (_gap_parts(measured, units) for measured in (model, retrain))
    worst = worst_path("mia", own, reference)
    sources = {name: worst if name == "mia" else name for name in GAP_PARTS}
    values, targets = (
        {name: found[source].value for name, source in sources.items()} for found in (own, reference)
    )
    return retrain_gap(values, targets, GAP_PARTS)


def _gap_parts(model: Measurements, units: Units) -> dict[str, Raw]:
    found = {name: Raw(model.utility[name]["headline"].value, 0) for name in SETS}
    for path, losses in model.losses.items():
        attack = loss_attack(losses["forget"], units["forget"], losses["test"], units["test"])
        found[f"mia/{path}"] = Raw(attack.accuracy, attack.n)
    return found


def details(model: Measurements, original: Measurements, units: Units, seed: int) -> dict[str, Raw]:
    """Every value of one model by name, such as ``test``, ``test/i2t_r@1``, ``mia/matching/auc``."""
    found: dict[str, Raw] = {}
    for name in SETS:
        for measure, recall in model.utility[name].items():
            key = name if measure == "headline" else f"{name}/{measure}"
            found[key] = Raw(recall.value, recall.n, chance=recall.chance)
    for path in model.scores:
        scores, losses = model.scores[path], model.losses[path]
        auc = forget_retain_auc(scores["forget"], units["forget"], scores["retain"], units["retain"], seed)
        pairs = len(scores["forget"]) + len(scores["retain"])
        found[f"forget_vs_retain_auc/{path}"] = Raw(auc.value, pairs, auc.low, auc.high, chance=0.5)
        attack = loss_attack(losses["forget"], units["forget"], losses["test"], units["test"])
        found[f"mia/{path}"] = Raw(attack.accuracy, attack.n, chance=0.5)
        found[f"mia/{path}/auc"] = Raw(attack.auc, attack.n, chance=0.5)
        found[f"mia/{path}/advantage"] = Raw(attack.advantage, attack.n, chance=0.0)
        before = original.losses[path]
        attacker = MembershipAttacker.fit(before["retain"], before["test"])
        ratio = mi_ratio(attacker, before["forget"], losses["forget"])
        found[f"mi_ratio/{path}"] = Raw(ratio, len(losses["forget"]), chance=1.0)
        apart = decoupling(scores["forget"], scores["unrelated"])
        count = len(scores["forget"]) + len(scores["unrelated"])
        found[f"decoupling/{path}/auc"] = Raw(apart.auc, count, chance=0.5)
        found[f"decoupling/{path}/ks"] = Raw(apart.ks, count, chance=0.0)
    return found


def worst_path(metric: str, own: Mapping[str, Raw], retrain: Mapping[str, Raw] | None) -> str:
    """The detail that a worst-case headline metric takes its value from.

    The path furthest from retrain's, except for mi_ratio, which is the smallest. Without retrain: for mia the
    highest accuracy, for forget_vs_retain_auc the smallest separation, as in the paper higher is better.
    """
    paths = [name for name in own if name.startswith(f"{metric}/") and name.count("/") == 1]
    if metric == "mi_ratio" or (retrain is None and metric == "forget_vs_retain_auc"):
        return min(paths, key=lambda name: own[name].value)
    if retrain is None:
        return max(paths, key=lambda name: own[name].value)
    distances = {name: abs(own[name].value - retrain[name].value) for name in paths}
    if not any(distances.values()):  # retrain against itself
        return max(paths, key=lambda name: own[name].value)
    return max(paths, key=lambda name: distances[name])


def score_histograms(model: Measurements, original: Measurements) -> dict[str, ScoreHistogram]:
    """By path, the distribution of association scores before and after unlearning."""
    found = {}
    for path, after in model.scores.items():
        before = original.scores[path]
        groups = ("forget", "retain", "unrelated")
        found[path] = ScoreHistogram(
            edges=SCORE_EDGES.tolist(),
            before=histogram({group: before[group] for group in groups}, SCORE_EDGES),
            after=histogram({group: after[group] for group in groups}, SCORE_EDGES),
        )
    return found


def value_of(source: str, metric: str, raws: Mapping[str, Mapping[str, Raw]]) -> Value:
    """A value beside the original's and retrain's.

    Args:
        source: the detail it is taken from.
        metric: whose direction it has.
        raws: details by name, of ``model``, ``original`` and perhaps ``retrain``.
    """
    own, retrain = raws["model"][source], raws.get("retrain")
    return Value(
        value=own.value,
        n=own.n,
        direction=METRICS[metric].direction if metric in METRICS else "closest_to_retrain",
        retrain=retrain[source].value if retrain else None,
        original=raws["original"][source].value,
        low=own.low,
        high=own.high,
        chance=own.chance,
    )


def _gap(headline: Mapping[str, Value]) -> Value:
    """Gap to retrain of this model and of the original; retrain's own is 0."""
    retrain = {name: headline[name].retrain for name in GAP_PARTS}
    gap = retrain_gap({name: headline[name].value for name in GAP_PARTS}, retrain, GAP_PARTS)
    before = retrain_gap({name: headline[name].original for name in GAP_PARTS}, retrain, GAP_PARTS)
    return Value(
        value=gap,
        n=len(GAP_PARTS),
        direction=METRICS["retrain_gap"].direction,
        retrain=None if gap is None else 0.0,
        original=before,
    )
