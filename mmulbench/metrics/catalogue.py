"""The metrics' names, directions and definitions, as `mmulbench list metrics` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmulbench.records.schema import Direction


@dataclass(frozen=True)
class Metric:
    """One headline metric.

    Attributes:
        chance_varies: whether what chance gives differs from run to run, so that a value is read beside it.
    """

    name: str
    title: str
    direction: Direction
    definition: str
    source: str
    chance_varies: bool = False


HEADLINE: tuple[Metric, ...] = (
    Metric(
        "test",
        "Test utility",
        "higher",
        "the task's own measure on the test split (retrieval: mean of R@1, R@5, R@10 in both directions)",
        "arXiv 2311.12047, D_Test",
    ),
    Metric(
        "retain",
        "Retain utility",
        "higher",
        "the same measure on the retain set, which is its own gallery",
        "arXiv 2311.12047",
    ),
    Metric(
        "forget",
        "Forget utility",
        "closest_to_retrain",
        "the same measure on the forget set, which is its own gallery",
        "arXiv 2311.12047, D_f",
    ),
    Metric(
        "forget_vs_retain_auc",
        "Df|Dr AUC",
        "closest_to_retrain",
        "ROC AUC of the association score of every true pair, forget set 0, retain set 1, exact over all "
        "Df x Dr pairs; the path furthest from retrain's (without retrain: the smallest)",
        "arXiv 2311.12047, Df|Dr (there: higher is better)",
    ),
    Metric(
        "mia",
        "MIA accuracy",
        "closest_to_retrain",
        "balanced accuracy, cross-validated over the units of both sets, of a logistic regression that tells "
        "forget-set pairs from test pairs by their loss, orientation learnt (over-forgetting raises it too); "
        "the path furthest from retrain's (without retrain: the highest)",
        "Yeom et al. 2018 (arXiv 1709.01604); Liu et al. 2024 (arXiv 2304.04934)",
    ),
    Metric(
        "mi_ratio",
        "MI ratio",
        "higher",
        "mean p(member) over forget-set pairs by the original / the same mean by the unlearned model, "
        "attacker fitted on the original (retain set against test); the path with the smallest ratio "
        "(GNNDelete's code stores after / before)",
        "arXiv 2311.12047, MI",
    ),
    Metric(
        "retrain_gap",
        "Gap to retrain",
        "lower",
        "mean of |method - retrain| over test, retain, forget and mia",
        "Fan et al. 2024 (arXiv 2310.12508), average gap",
    ),
)
"""Headline keys of a record, in the order tables show them."""

POPULATION: tuple[Metric, ...] = (
    Metric(
        "u_lira",
        "U-LiRA AUC",
        "closest_to_retrain",
        "AUC of an attacker who knows how sure shadow models are of each forget-set pair, and tells a model "
        "that unlearned it from one retrained without it; every training seed is the target once; the path "
        "furthest from retrain's",
        "Hayes et al. 2024 (arXiv 2403.01218); Carlini et al. 2022 (arXiv 2112.03570)",
    ),
    Metric(
        "lira",
        "LiRA AUC",
        "closest_to_retrain",
        "the same by an attacker who does not know the method: do unlearned models look more like originals "
        "than retrained ones do? Below .5: less; the path furthest from retrain's",
        "Carlini et al. 2022 (arXiv 2112.03570), online attack",
    ),
    Metric(
        "rmia",
        "RMIA AUC",
        "closest_to_retrain",
        "AUC of the share of test pairs that a forget-set pair's probability exceeds, each beside its mean "
        "over shadow models, unlearned models against retrained ones; the path furthest from retrain's",
        "Zarifzadeh et al. 2024 (arXiv 2312.03262), online attack, gamma 1",
    ),
    Metric(
        "klom",
        "KLOM",
        "lower",
        "mean over forget-set pairs of the KL divergence, in nats, of unlearned shadow models' margins from "
        "retrained ones', 20 bins; above 0 by chance where models are few (the value's `chance`); the path "
        "furthest from retrain's",
        "Georgiev et al. 2024 (arXiv 2410.23232), KLOM",
        chance_varies=True,
    ),
)
"""Headline keys of a record that was made with shadow models."""

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*HEADLINE, *POPULATION)}
