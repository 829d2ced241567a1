"""Measure how far a model is from retrain."""

from __future__ import annotations

from collections.abc import Mapping


def retrain_gap(values: Mapping[str, float], retrain: Mapping[str, float]) -> float:
    """Return the mean of abs(method - retrain) over several measures, 0 for retrain itself (lower is better).

    Source: average gap of Fan et al. 2024 (arXiv 2310.12508). All measures must be shares in [0, 1].

    Args:
        values: the method's measures by name.
        retrain: retrain's measures by the same names.

    Raises:
        ValueError: there are no measures, or the names differ.

    Example:
        >>> round(retrain_gap({'test': 0.6, 'mia': 0.8}, {'test': 0.7, 'mia': 0.5}), 3)
        0.2
    """
    if not values or values.keys() != retrain.keys():
        raise ValueError(
            f"the method has the measures {sorted(values)} but retrain {sorted(retrain)}; give both the same"
        )
    return sum(abs(value - retrain[name]) for name, value in values.items()) / len(values)
