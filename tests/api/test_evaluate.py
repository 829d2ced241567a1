"""`mmulbench.evaluate`: what the command line does, called from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import mmulbench

METRIC = Path(mmulbench.__file__).parent / "authoring" / "templates" / "my_metric.py"


def test_a_record_is_found_by_its_id_and_given_a_metric(tmp_path):
    folders = {"results_dir": tmp_path / "results", "cache_dir": tmp_path / "cache"}
    record = mmulbench.run(
        "finetune",
        "emoji",
        backbone="albef:tiny",
        settings={"task.limit": 60, "recipe.epochs": 1, "epochs": 1},
        progress=False,
        reference=False,
        **folders,
    )
    found = mmulbench.evaluate(record.run_id[:6], "my_metric", plugins=[METRIC], progress=False, **folders)
    assert found.run_id == record.run_id and found.values.keys() > record.values.keys()
    (place,) = (tmp_path / "results").rglob("*.json")
    assert mmulbench.RunResult.model_validate_json(place.read_text()) == found
    with pytest.raises(mmulbench.UsageError, match="was made with --no-reference"):
        mmulbench.evaluate(place, ["agreement"], progress=False, **folders)
