"""Take the scores and losses of pairs together by unit, for the file that lies beside a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mmulbench.core.metric import SETS
from mmulbench.core.observations import Measurements
from mmulbench.records.unit_files import UnitScores

if TYPE_CHECKING:
    from mmulbench.core.data import Integers


def unit_scores(
    model: Measurements,
    original: Measurements,
    retrain: Measurements | None,
    units: Mapping[str, Integers],
    retained: Integers,
) -> UnitScores:
    """Compute the mean association score and the mean loss of each unit's pairs, on each path.

    Args:
        model: measurements of the unlearned model.
        original: measurements of the untouched original.
        retrain: measurements of the reference; None where it was skipped.
        units: by set, the unit of each pair.
        retained: units of the retain set that are kept; of the forget set and the test set all are.
    """
    models = {"": model, "original_": original} | ({} if retrain is None else {"retrain_": retrain})
    kept = {**units, "retain": retained}
    return UnitScores.joined(
        [_of_set(models, name, path, units[name], kept[name]) for name in SETS for path in model.scores]
    )


def _of_set(
    models: Mapping[str, Measurements], name: str, path: str, units: Integers, kept: Integers
) -> UnitScores:
    """Compute the means over the pairs of one set on one path, of the units that are kept."""
    rows = np.isin(units, kept)
    found, place, pairs = np.unique(units[rows], return_inverse=True, return_counts=True)
    numbers = {
        f"{prefix}{kind}": np.bincount(place, by_path[path][name][rows]) / pairs
        for prefix, measured in models.items()
        for kind, by_path in (("score", measured.scores), ("loss", measured.losses))
    }
    split, of_path = (np.full(len(found), text) for text in (name, path))
    return UnitScores(split, found, of_path, pairs, numbers)
