"""What each forget unit adds to the values of a record: weighted by pairs, units make up the whole."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.core.observations import Measurements
from mmulbench.evaluation.by_unit import DIGITS, values_by_unit
from mmulbench.metrics.separation import exact_auc

UNITS = np.array([7, 3, 3, 9, 7, 7, 9])
PATHS = ("contrastive", "matching")


def measured(unit_utility: np.ndarray | None = None) -> Measurements:
    rng = np.random.default_rng(0)
    scores, losses = (
        {path: {"forget": rng.normal(size=7), other: rng.normal(0.5, size=40)} for path in PATHS}
        for other in ("retain", "test")
    )
    return Measurements({}, scores, losses, unit_utility=unit_utility)


def test_units_weighted_by_pairs_make_up_the_auc():
    model = measured()
    found = values_by_unit(model, UNITS)
    pairs = np.array(found["pairs"])
    assert pairs.tolist() == [2, 3, 2]  # of the units 3, 7, 9
    for path in PATHS:
        losses, scores = model.losses[path], model.scores[path]
        for name, auc in {
            "mia": exact_auc(losses["forget"], losses["test"]),
            "forget_vs_retain_auc": exact_auc(scores["forget"], scores["retain"]),
        }.items():
            by_unit = np.array(found[f"{name}/{path}"])
            assert by_unit @ pairs / pairs.sum() == pytest.approx(auc, abs=10**-DIGITS)
    assert len(found) == 1 + 2 * len(PATHS)


def test_a_unit_has_its_own_pairs_only():
    model = measured()
    before = values_by_unit(model, UNITS)["mia/matching"]
    model.losses["matching"]["forget"][UNITS == 3] = 99.0
    after = values_by_unit(model, UNITS)["mia/matching"]
    assert (after[0], after[1:]) == (0.0, before[1:])


def test_utility_is_there_where_it_was_measured():
    assert "forget" not in values_by_unit(measured(), UNITS)
    assert values_by_unit(measured(np.array([0.5, 1.0, 1 / 3])), UNITS)["forget"] == [0.5, 1.0, 0.3333]
