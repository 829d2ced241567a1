"""How far a model is from retrain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def retrain_gap(
    values: Mapping[str, float | None],
    retrain: Mapping[str, float | None],
    keys: Sequence[str] = ("test", "retain", "forget", "mia"),
) -> float | None:
    """Mean of abs(method - retrain) over several measures, 0 for retrain itself (lower is better).

    Source: average gap of Fan et al. 2024 (arXiv 2310.12508). All measures must be shares in [0, 1].

    Args:
        values: The method's measures by name.
        retrain: Retrain's measures by name.
        keys: The names to average over.

    Returns:
        The gap, or None where either side lacks a measure: a mean over fewer would not be comparable.
    """
    gaps: list[float] = []
    for key in keys:
        value, reference = values.get(key), retrain.get(key)
        if value is None or reference is None:
            return None
        gaps.append(abs(value - reference))
    return sum(gaps) / len(gaps)
