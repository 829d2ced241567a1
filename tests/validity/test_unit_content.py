"""The file of scores by unit beside a record is the one it names, and says what the record does."""

from __future__ import annotations

import numpy as np
import pytest
from forged import forged_fields, stored

from mmulbench.records.rankings import MODELS, Rankings
from mmulbench.records.schema import RunResult
from mmulbench.records.unit_files import NUMBERS, UnitScores, digest_of, unit_file
from mmulbench.validity.files import check_file, check_places
from mmulbench.validity.unit_content import check_content

OTHERS = 5
"""Units of the test set and of the retain set."""


def scores(record, change=None, rankings=None):
    """Scores as a run keeps them, the fields of their rows changed by a function, and perhaps rankings."""
    rows = {name: [] for name in ("split", "unit", "path", "pairs", *NUMBERS)}
    for split in ("test", "retain", "forget"):
        pairs = record.by_unit["pairs"] if split == "forget" else [1] * OTHERS
        for path in record.histograms:
            for unit, count in enumerate(pairs):
                row = {"split": split, "unit": unit, "path": path, "pairs": int(count)} | dict.fromkeys(
                    NUMBERS, 0.5
                )
                for name, value in (change(row) if change else row).items():
                    rows[name].append(value)
    numbers = {name: np.array(rows[name], dtype=np.float64) for name in NUMBERS}
    texts_of = {name: np.array(rows[name], dtype=np.str_) for name in ("split", "path")}
    counts_of = {name: np.array(rows[name], dtype=np.int64) for name in ("unit", "pairs")}
    return UnitScores(
        texts_of["split"], counts_of["unit"], texts_of["path"], counts_of["pairs"], numbers
    ).to_parquet(rankings)


@pytest.fixture
def record():
    return RunResult.model_validate(forged_fields({}))


def texts(record, tmp_path, content):
    return [one.text for one in check_content(record, content, tmp_path / "x.json")]


def test_a_file_of_a_run_holds(record, tmp_path):
    assert texts(record, tmp_path, scores(record)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "train"}, "of the sets train; it should be forget, retain, test"),
        ({"path": "other"}, "of the paths other"),
        ({"pairs": 0}, "with units without pairs"),
        ({"unit": 7}, "rows of 1 forget units on"),
        ({"pairs": 99}, "of other pairs on"),
        ({"loss": np.inf}, "whose loss is not finite"),
    ],
)
def test_rows_that_do_not_fit_are_found(record, tmp_path, change, message):
    found = texts(record, tmp_path, scores(record, lambda row: row | change))
    assert any(message in text for text in found), found


def test_fewer_forget_units_are_found(record, tmp_path):
    content = scores(record, lambda row: row | ({"split": "test"} if row["unit"] == 6 else {}))
    assert any(
        f"it should be {record.spec.forget_size} of each" in text for text in texts(record, tmp_path, content)
    )


def test_retrains_numbers_are_there_where_it_was_compared_with(record, tmp_path):
    values = {name: value.model_copy(update={"retrain": None}) for name, value in record.values.items()}
    without = record.model_copy(update={"values": values})
    assert any(
        "retrain_score" in text and "absent" in text for text in texts(without, tmp_path, scores(record))
    )
    assert texts(record, tmp_path, b"PAR1")[0].startswith("units names a file of which it holds no scores")


def first_places(record, place=(1, 2)):
    """What a model ranks first for unit 3."""
    path = [*record.histograms][:1]
    found, none = np.array([5, 6]), np.full(2, np.nan)
    return Rankings(
        np.full(2, 3),
        np.array(path * 2),
        np.zeros(2, np.int64),
        np.full(2, 3),
        np.array(place),
        found,
        found > 5,
        none,
    )


def test_rankings_of_all_models_hold(record, tmp_path):
    assert texts(record, tmp_path, scores(record, None, dict.fromkeys(MODELS, first_places(record)))) == []


@pytest.mark.parametrize(
    ("models", "place", "message"),
    [
        (MODELS[:-1], (1, 2), "rankings by original, unlearned; it should be original, retrain, unlearned"),
        (MODELS, (2, 2), "its rankings cannot be: a place is there twice"),
        (MODELS, (2, 9), "9 is no place"),
    ],
)
def test_rankings_that_do_not_fit_are_found(record, tmp_path, models, place, message):
    rankings = dict.fromkeys(models, first_places(record, place))
    (found,) = texts(record, tmp_path, scores(record, None, rankings))
    assert message in found


def stored_with(tmp_path, content):
    path = stored(tmp_path, forged_fields({"units": digest_of(content)}))
    unit_file(path).write_bytes(content)
    return path


def found_in(path):
    """What is found in a file, as one and as that of a folder, remembered or not."""
    root = path.parents[3]
    every = [check_file(path)]
    for _ in range(2):
        every += check_places([root], root.parent / "cache")
    assert every.count(every[0]) == 3
    return [one.text for one in (*every[0].faults, *every[0].unchecked) if one.field == "units"]


def test_the_file_that_a_record_names_is_looked_for(record, tmp_path):
    path = stored_with(tmp_path / "results", scores(record))
    assert found_in(path) == []
    unit_file(path).write_bytes(scores(record, lambda row: row | {"score": 0.25}))
    (text,) = found_in(path)
    assert text.startswith(f"units is not the digest of {unit_file(path).name}; it should be ")
    unit_file(path).unlink()
    assert found_in(path) == [f"units cannot be checked: {unit_file(path).name} is gone"]


def test_a_file_that_says_other_things_than_its_record_is_found(record, tmp_path):
    path = stored_with(tmp_path / "results", scores(record, lambda row: row | {"path": "other"}))
    assert any("of the paths other" in text for text in found_in(path))


def test_a_file_that_no_record_names_is_found(record, tmp_path):
    path = stored(tmp_path / "results", forged_fields({"units": None}))
    assert found_in(path) == []
    unit_file(path).write_bytes(scores(record))
    assert found_in(path)[0].startswith(f"units is null beside {unit_file(path).name}")
