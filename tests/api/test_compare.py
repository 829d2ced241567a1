"""Two methods compared from Python, by their records in a folder."""

from __future__ import annotations

import json

import numpy as np
import pytest
from planted_results import Planted, World, of_one_original

import mmulbench
from mmulbench.records.store import ResultsStore
from mmulbench.records.unit_files import UnitScores, digest_of, unit_file
from mmulbench.report.differences import LEVEL

SEEDS = (21, 42, 87)
WORLD = World(shares=True, seeds=SEEDS)


def written(folder, methods, change=lambda record: (record, None)):
    store = ResultsStore(folder)
    for record in of_one_original(WORLD.records(methods)):
        store.write(*change(record))
    return folder


def test_a_planted_difference_is_in_the_frame(tmp_path):
    written(tmp_path, {"mmul": Planted({"mia/matching": 0.3}), "scrub": Planted()})
    found = mmulbench.compare("mmul", "scrub", task="emoji", results_dir=tmp_path)
    assert (found.first, found.second, found.task, found.seeds) == ("mmul", "scrub", "emoji", SEEDS)
    frame = found.frame().set_index("value")
    row = frame.loc["mia/matching"]
    assert row.difference == pytest.approx(0.3, abs=0.04) and row.p_holm < LEVEL and row.significant
    assert row.low_seeds < 0.3 < row.high_seeds and row.better == "second" and row.noise_floor > 0
    assert frame.loc["test"].p_holm > LEVEL
    assert json.loads(json.dumps(found.as_json()))["values"][0]["value"] == "retrain_gap"
    assert "With 3 seeds it is wide" in found.notes[-1]


def test_a_method_does_not_differ_from_itself(tmp_path):
    written(tmp_path, {"mmul": Planted({"forget": 0.3})})
    found = mmulbench.compare("mmul", "mmul", results_dir=tmp_path)
    assert not any(row.is_significant or row.difference for row in found.rows)


def scores(record):
    """A file of scores of ten test units and the forget units, on both paths."""
    sets = [("test", 10), ("forget", 68)]
    rows = [
        (name, unit, path)
        for name, size in sets
        for path in ("contrastive", "matching")
        for unit in range(size)
    ]
    count, numbers = len(rows), np.random.default_rng(record.spec.seed)
    return UnitScores(
        split=np.array([row[0] for row in rows]),
        unit=np.array([row[1] for row in rows]),
        path=np.array([row[2] for row in rows]),
        pairs=np.full(count, 3),
        numbers={"loss": numbers.normal(size=count), "score": numbers.normal(size=count)},
    ).to_parquet()


def with_scores(record):
    content = scores(record)
    return record.model_copy(update={"units": digest_of(content)}), content


def intervals(folder):
    found = mmulbench.compare("mmul", "scrub", results_dir=folder)
    return {row.name: row.unit_interval for row in found.rows}, found.notes


def test_files_of_scores_are_read_and_one_that_is_damaged_is_named(tmp_path):
    methods = {"mmul": Planted(), "scrub": Planted(), "same": Planted()}
    bare, said = intervals(written(tmp_path / "bare", methods))
    assert "not all records keep scores by unit" in said[0] and len(said) == 2
    kept, notes = intervals(written(tmp_path / "kept", methods, with_scores))
    # Both sides of the planted files are alike, so that test units add nothing to their difference.
    assert kept == bare and len(notes) == 1
    path = next((tmp_path / "kept").glob("emoji/*/mmul/*.json"))
    unit_file(path).write_bytes(b"other")
    _, notes = intervals(tmp_path / "kept")
    assert len(notes) == 2 and unit_file(path).name in notes[0] and "as they are" in notes[0]


def test_seeds_that_are_not_compared_are_named(tmp_path):
    def failing(record):
        if (record.spec.method, record.spec.seed) != ("scrub", 42):
            return record, None
        empty = {"values": {}, "by_unit": {}, "histograms": {}, "cost": None}
        return record.model_copy(update={**empty, "status": "failed", "reason": "broke"}), None

    written(tmp_path, {"mmul": Planted(), "scrub": Planted()}, failing)
    found = mmulbench.compare("mmul", "scrub", results_dir=tmp_path)
    assert found.seeds == (21, 87)
    assert found.notes[1:3] == (
        "Left out seed 42 of mmul, which scrub has no numbers of.",
        "Left out seed 42: scrub failed.",
    )
    assert "2 seeds in common" in found.notes[-1]


def test_what_may_not_be_compared_is_refused(tmp_path):
    store = ResultsStore(tmp_path)
    for record in of_one_original(WORLD.records({"mmul": Planted(), "scrub": Planted()})):
        other = record.spec.method == "scrub"
        store.write(of_one_original([record], 0.7)[0] if other else record)
    with pytest.raises(mmulbench.UsageError, match="mmul and scrub have other originals: with seed 21"):
        mmulbench.compare("mmul", "scrub", results_dir=tmp_path)
