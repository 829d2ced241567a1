"""Published pictures are compared with the records, and only what changed is computed again."""

from __future__ import annotations

import shutil

import pytest
from forged import RESULTS

from mmulbench.api import pictures
from mmulbench.api.pictures import picture_faults


@pytest.fixture
def results(tmp_path):
    """The published pictures and records of hpo_pgr."""
    shutil.copytree(RESULTS / "hpo_pgr", tmp_path / "results" / "hpo_pgr")
    (tmp_path / "results" / "plots").mkdir()
    for path in (RESULTS / "plots").glob("hpo_pgr-*"):
        if path.suffix != ".pdf":  # which git ignores
            shutil.copy(path, tmp_path / "results" / "plots")
    return tmp_path / "results"


@pytest.mark.slow
def test_pictures_that_are_older_than_a_record_are_named(results, monkeypatch):
    cache = results.parent / "cache"
    assert picture_faults(results, cache) == []
    monkeypatch.setattr(pictures, "_drawn", lambda *_: pytest.fail("it is remembered"))
    assert picture_faults(results, cache) == []
    monkeypatch.undo()
    next(results.glob("hpo_pgr/*/retrain/*.json")).unlink()
    faults = picture_faults(results, cache)
    assert len(faults) == 6 and all("is older than its records" in line for line in faults)
    shutil.rmtree(results / "hpo_pgr")
    assert all("of no record any more" in line for line in picture_faults(results, None))


@pytest.mark.slow
def test_the_published_pictures_show_the_published_records():
    assert picture_faults(RESULTS, None) == [], "write them again: see results/README.md"


def test_without_pictures_nothing_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "RecordIndex", lambda *_: pytest.fail("records are read"))
    assert picture_faults(tmp_path, None) == []
