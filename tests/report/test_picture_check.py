from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.figure import Figure

from mmulbench.report.picture_check import described, published_pictures, stale_pictures
from mmulbench.report.style import csv_text, description, save

TABLE = pd.DataFrame({"method": ["=a"], "x": [0.1]})
TODAY = description(csv_text(TABLE))
STEM = "emoji-albef-packaged-64"


@pytest.fixture
def results(tmp_path):
    (tmp_path / "plots").mkdir()
    save(Figure(figsize=(1, 1)), TABLE, tmp_path / "plots" / f"{STEM}-cost")
    return tmp_path


def test_each_file_of_a_picture_says_what_it_shows(results):
    files = published_pictures(results)[STEM]["cost"]
    assert [path.suffix for path in files] == [".csv", ".pdf", ".png", ".svg"]
    assert {described(path) for path in files} == {TODAY}


def test_pictures_of_today_are_no_fault_and_those_of_other_numbers_are(results):
    published = published_pictures(results)
    assert stale_pictures(published, lambda _: {"cost": TODAY}) == []
    assert len(stale_pictures(published, lambda _: {"cost": "data 0"})) == 4
    gone = stale_pictures(published, lambda _: {})
    assert len(gone) == 4 and all("of no record any more: delete it" in one for one in gone)


def test_a_changed_or_damaged_file_is_named(results):
    (results / "plots" / f"{STEM}-cost.csv").write_text("method,x\n")
    (results / "plots" / f"{STEM}-cost.png").write_bytes(b"no picture")
    lines = stale_pictures(published_pictures(results), lambda _: {"cost": TODAY})
    assert [line.partition(" is ")[0].rpartition(".")[2] for line in lines] == ["csv", "png"]


def test_names_with_a_fingerprint_and_further_sheets_are_taken_apart(tmp_path):
    folder = tmp_path / "plots"
    folder.mkdir()
    others = ("emoji-albef-packaged-sizes.csv", f"{STEM}-roc.png", "notes.txt", "README.md")
    for name in (f"{STEM}-0a1b2c3d-forgetting.png", f"{STEM}-scores-2.svg", *others):
        (folder / name).touch()
    found = published_pictures(tmp_path)
    assert {stem: list(kinds) for stem, kinds in found.items()} == {
        f"{STEM}-0a1b2c3d": ["forgetting"],
        STEM: ["scores-2"],
        "emoji-albef-packaged": ["sizes"],
    }
    assert published_pictures(tmp_path / "nowhere") == {}
