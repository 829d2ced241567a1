"""The metrics of a record, one file each; every file registers its metric, as methods do.

A file imports its array functions where it computes, so that lists and tables are printed at once.
"""

from __future__ import annotations

from mmulbench.core.metric import Metric, PopulationMetric, RecoveryMetric, Role
from mmulbench.core.registry import METRICS

ORDER = (
    "test",
    "retain",
    "forget",
    "forget_vs_retain_auc",
    "mia",
    "mi_ratio",
    "agreement",
    "unimodal_cka",
    "unimodal_probe",
    "retrain_gap",
    "u_lira",
    "lira",
    "rmia",
    "klom",
    "relearn",
    "decoupling",
)
"""Built-in metrics in the order that records and tables have them."""


def built_in() -> list[Metric]:
    """Return the built-in metrics in their order."""
    return [METRICS.get(name)(name) for name in ORDER]


def all_metrics() -> list[Metric]:
    """Return the built-in metrics, then those of plug-ins and installed packages by name."""
    others = [name for name in METRICS.names() if name not in ORDER]
    return [*built_in(), *(METRICS.get(name)(name) for name in others)]


def headline_metrics() -> list[Metric]:
    """Return the built-in metrics that every run has a headline value of, in their order."""
    return [
        metric
        for metric in built_in()
        if metric.has_headline and not isinstance(metric, PopulationMetric | RecoveryMetric)
    ]


def shadow_metrics() -> list[Metric]:
    """Return the built-in metrics that rest on shadow models, in their order."""
    return [metric for metric in built_in() if isinstance(metric, PopulationMetric)]


def recovery_metrics() -> list[Metric]:
    """Return the built-in metrics for which models are trained again, in their order."""
    return [metric for metric in built_in() if isinstance(metric, RecoveryMetric)]


def with_role(role: Role) -> list[Metric]:
    """Return the built-in metrics that verdict and figures use for something, in their order."""
    return [metric for metric in built_in() if metric.role == role]
