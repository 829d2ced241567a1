"""Measure how far a model is from retrain."""

from __future__ import annotations

from collections.abc import Mapping


def retrain_gap(values: Mapping[str, float], retrain: Mapping[str, float]) -> float:
    """Return the mean of abs(method - retrain) over several measures, 0 for retrain itself (lower is better).

    What is measured on several association paths counts once, with the path on which it lies furthest from
    retrain. Source: average gap of Fan et al. 2024 (arXiv 2310.12508). All measures must be shares in [0, 1].

    Args:
        values: the method's measures by name; those of paths are called ``measure/path``.
        retrain: retrain's measures by the same names.

    Raises:
        ValueError: there are no measures, or the names differ.

    Example:
        >>> own = {'test': 0.6, 'mia/contrastive': 0.8, 'mia/matching': 0.4}
        >>> round(retrain_gap(own, {'test': 0.7, 'mia/contrastive': 0.5, 'mia/matching': 0.5}), 3)
        0.2
    """
    if not values or values.keys() != retrain.keys():
        raise ValueError(
            f"the method has the measures {sorted(values)} but retrain {sorted(retrain)}; give both the same"
        )
    largest: dict[str, float] = {}
    for name, value in values.items():
        measure = name.partition("/")[0]
        largest[measure] = max(largest.get(measure, 0.0), abs(value - retrain[name]))
    return sum(largest.values()) / len(largest)
