"""Scores by unit: the mean over a unit's own pairs, of every model, on every path."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.core.observations import Measurements
from mmulbench.evaluation.unit_scores import unit_scores
from mmulbench.records.unit_files import NUMBERS, UnitScores

UNITS = {
    "test": np.array([20, 21, 20]),
    "retain": np.array([9, 4, 9, 5, 9]),
    "forget": np.array([7, 3, 3, 7, 7]),
}
PATHS = ("contrastive", "matching")


def measured(seed: int) -> Measurements:
    rng = np.random.default_rng(seed)
    scores, losses = (
        {path: {name: rng.normal(size=len(of_set)) for name, of_set in UNITS.items()} for path in PATHS}
        for _ in range(2)
    )
    return Measurements({}, scores, losses)


OWN, BEFORE, REFERENCE = measured(0), measured(1), measured(2)


@pytest.fixture(scope="module")
def found() -> UnitScores:
    return unit_scores(OWN, BEFORE, REFERENCE, UNITS, np.array([9, 5]))


def row(found: UnitScores, split: str, unit: int, path: str) -> int:
    (place,) = np.flatnonzero((found.split == split) & (found.unit == unit) & (found.path == path))
    return int(place)


def test_a_unit_has_the_mean_of_its_own_pairs(found):
    place = row(found, "forget", 7, "matching")
    own = [0, 3, 4]
    assert found.pairs[place] == 3
    for name, values in {
        "score": OWN.scores,
        "loss": OWN.losses,
        "original_score": BEFORE.scores,
        "original_loss": BEFORE.losses,
        "retrain_score": REFERENCE.scores,
        "retrain_loss": REFERENCE.losses,
    }.items():
        assert found.numbers[name][place] == pytest.approx(values["matching"]["forget"][own].mean())
    assert set(found.numbers) == set(NUMBERS)


def test_every_unit_of_forget_and_test_has_a_row_on_each_path(found):
    for split, units in (("test", [20, 21]), ("forget", [3, 7])):
        for path in PATHS:
            assert found.unit[(found.split == split) & (found.path == path)].tolist() == units


def test_of_the_retain_set_only_the_chosen_units_are_kept(found):
    assert found.unit[(found.split == "retain") & (found.path == "matching")].tolist() == [5, 9]
    place = row(found, "retain", 9, "contrastive")
    assert found.numbers["loss"][place] == pytest.approx(
        OWN.losses["contrastive"]["retain"][[0, 2, 4]].mean()
    )


def test_without_a_reference_there_are_no_numbers_of_it():
    found = unit_scores(OWN, BEFORE, None, UNITS, np.array([9]))
    assert set(found.numbers) == {"score", "loss", "original_score", "original_loss"}
