from __future__ import annotations

import numpy as np
import pytest
from figures_seen import drawn, subject_of
from planted_results import Planted, World

from mmulbench.records.store import ResultsStore
from mmulbench.records.unit_files import UnitScores, digest_of, unit_file
from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.picture import Absent
from mmulbench.report.figures.roc import MISSING, roc_figure, true_positives

FORGET, TEST = 20, 150
PATHS = ("contrastive", "matching")


def scores(known):
    """The method's losses tell deleted units on one path, the original's on both, retrain's never."""
    rng = np.random.default_rng(0)
    parts = []
    for path in PATHS:
        for split, count in (("test", TEST), ("forget", FORGET)):
            losses = 1 + rng.random(count)
            low = losses - 1.0 * (split == "forget")
            numbers = {
                "loss": low if path == known else losses,
                "original_loss": low,
                "retrain_loss": losses,
            }
            numbers |= {name.replace("loss", "score"): -one for name, one in numbers.items()}
            of_set = (np.full(count, split), np.arange(count), np.full(count, path), np.full(count, 1))
            parts.append(UnitScores(*of_set, numbers))
    return UnitScores.joined(parts).to_parquet()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A results folder with scores by unit beside the records of one method and not of another."""
    folder = tmp_path_factory.mktemp("results")
    planted = {"mmul": Planted({"mia/matching": 0.4}), "scrub": Planted()}
    records, content = [], scores("matching")
    for record in World(units=FORGET, seeds=(21, 42)).records(planted, draws=0):
        keeps = record.spec.method == "mmul"
        kept = record.model_copy(update={"units": digest_of(content)}) if keeps else record
        ResultsStore(folder).write(kept, content if keeps else None)
        records.append(kept)
    return folder, records


def test_the_worst_path_is_attacked_by_unit(stored):
    folder, records = stored
    figure, table = drawn(roc_figure(subject_of(*group_records(records), results=folder)))
    assert set(table["method"]) == {"mmul"} and set(table["path"]) == {"matching"}
    assert set(table["seeds"]) == {2}
    assert table["fpr"].min() == pytest.approx(1 / TEST)
    by_model = {model: lines["tpr"].to_numpy() for model, lines in table.groupby("model")}
    assert np.all(by_model["method"] == 1) and np.all(by_model["original"] == 1)
    assert by_model["retrain"][0] < 0.3 and by_model["retrain"][-1] == 1
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert (axes.get_xlim()[0], axes.get_ylim()[0]) == pytest.approx((1 / TEST, 1 / FORGET))
    texts = [text.get_text() for text in axes.texts]
    assert any(text.startswith("1 %: 1.00 → 1.00 (") for text in texts)
    assert not any(".1 %" in text for text in texts), "150 units cannot say it"
    sides = {text.get_text(): text.get_verticalalignment() for text in axes.texts}
    assert (sides["original"], sides["retrain"]) == ("bottom", "top")


def test_changed_or_missing_scores_are_no_figure_and_the_reason_says_what_makes_them(stored, tmp_path):
    _, records = stored
    (group,) = group_records(records)
    assert roc_figure(subject_of(group, results=tmp_path)) == Absent(MISSING)
    assert roc_figure(subject_of(group)) == Absent(MISSING)
    for record in records:
        place = unit_file(ResultsStore(tmp_path).path_of(record))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(scores("contrastive"))
    assert roc_figure(subject_of(group, results=tmp_path)) == Absent(MISSING)
    assert "--no-units" in MISSING and "--overwrite always" in MISSING


def test_true_positives_of_thresholds_counted_by_hand():
    members, others = np.array([1.0, 2.0, 2.0, 5.0]), np.array([2.0, 3.0, 4.0, 6.0])
    rates = np.array([0.1, 0.25, 0.5, 0.75, 1.0])
    assert true_positives(members, others, rates).tolist() == [0.25, 0.75, 0.75, 1.0, 1.0]
    alike = np.ones(4)
    assert true_positives(alike, alike, rates).tolist() == [0, 0, 0, 0, 1], "equal losses go together"
