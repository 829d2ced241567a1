"""Records as data frames, the leaderboard and the figures, from Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from forged import committed, forged_fields, stored
from planted_results import Planted, World

import mmulbench
from mmulbench.api.records import Markdown
from mmulbench.records.store import ResultsStore

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Records of retrains and of two methods, one with settings from a study."""
    world, where = World(seeds=(42, 87), shares=True), tmp_path_factory.mktemp("results")
    made = world.records({"mmul": Planted(), "scrub": Planted({"forget": 0.2})}, draws=1)
    for record in made:
        ResultsStore(where).write(world.tuned(record, lr=0.1) if record.spec.method == "scrub" else record)
    return where


@pytest.fixture(scope="module")
def records(folder):
    return ResultsStore(folder).load_all("emoji")[0]


@pytest.fixture(scope="module")
def tidy(folder):
    return mmulbench.load_records(folder, task="emoji")


@pytest.fixture(scope="module")
def wide(folder):
    return mmulbench.load_records(folder, task="emoji", wide=True)


def test_tidy_has_a_row_for_each_value(tidy, records):
    assert len(tidy) == sum(len(record.values) for record in records)
    assert set(tidy.task) == {"emoji"}
    record = records[0]
    row = tidy[(tidy.run_id == record.run_id) & (tidy.metric == "mia")].iloc[0]
    value = record.values["mia"]
    assert (row.value, row.retrain, row.original, row.n, row.direction) == (
        value.value,
        value.retrain,
        value.original,
        value.n,
        value.direction,
    )


def test_wide_has_a_row_for_each_run(wide, records):
    assert list(wide.run_id) == [record.run_id for record in records]
    (place, record) = next((i, one) for i, one in enumerate(records) if one.tuning is not None)
    row = wide.iloc[place]
    assert row["mia"] == record.values["mia"].value
    assert row["cost.seconds"] == record.cost.seconds
    assert row["config.lr"] == record.spec.config["lr"]


def test_runs_with_tuned_settings_are_told_apart(wide, records):
    assert list(wide.tuned) == [record.is_tuned for record in records]
    assert set(wide.tuned) == {True, False}


def test_both_forms_say_what_must_not_be_mixed(tidy, wide):
    for frame in (tidy, wide):
        assert {"metric_version", "data_fingerprint", "backbone", "tuned"} <= set(frame.columns)


def test_a_mean_over_seeds_is_one_line(tidy):
    mean = tidy[tidy.metric == "test"].groupby("method").value.mean()
    assert 0 < mean["retrain"] < 1


def test_a_file_that_is_no_record_is_warned_of(tmp_path, records):
    ResultsStore(tmp_path).write(records[0])
    (tmp_path / "emoji" / "broken.json").write_text("{")
    with pytest.warns(UserWarning, match=r"broken\.json: not valid JSON"):
        found = mmulbench.load_records(tmp_path, wide=True)
    assert len(found) == 1


def test_records_that_do_not_hold_are_in_no_table(tmp_path):
    stored(tmp_path, committed("scrub"))
    forged = [
        stored(tmp_path, forged_fields({"spec.seed": seed, "values.test.value": 17.0})) for seed in range(12)
    ]
    with pytest.warns(UserWarning) as warned:
        found = mmulbench.load_records(tmp_path, wide=True)
    assert list(found.method) == ["scrub"]
    texts = [str(one.message) for one in warned if "left out" in str(one.message)]
    assert len(texts) == 11 and texts[-1] == "left out 2 more: mmulbench validate names them all"
    assert texts[0].startswith(f"left out {min(forged)}: values.test.value is 17; it should be in the range ")
    page = mmulbench.leaderboard(tmp_path)
    assert "17.000" not in page and page.count("values.test.value is 17") == 10
    assert "\n- and 2 more: `mmulbench validate` names them all\n" in page


def test_a_task_whose_records_do_not_hold_is_no_unknown_task(tmp_path):
    stored(tmp_path, forged_fields({"values.test.value": 17.0}))
    with pytest.warns(UserWarning, match="left out"):
        assert mmulbench.load_records(tmp_path, task="emoji").empty


def test_no_records_give_an_empty_frame(tmp_path):
    assert mmulbench.load_records(tmp_path).empty


def test_a_task_without_records_is_wrong_use(folder):
    with pytest.raises(mmulbench.UsageError, match="did you mean emoji"):
        mmulbench.load_records(folder, task="emojy")


def test_the_leaderboard_is_the_committed_one(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert mmulbench.leaderboard() == (ROOT / "leaderboard.md").read_text(encoding="utf-8")


def test_a_notebook_shows_the_leaderboard_as_tables(folder):
    shown = mmulbench.leaderboard(folder, task="emoji", metrics=["test"])
    assert isinstance(shown, Markdown)
    assert shown._repr_markdown_() == shown
    assert "| method |" in shown or "| Method |" in shown


@pytest.mark.slow
def test_figures_are_written(tmp_path, records):
    for record in records[:2]:
        ResultsStore(tmp_path / "results").write(record)
    paths = mmulbench.plot(tmp_path / "results", output=tmp_path / "plots")
    assert {path.suffix for path in paths} == {".png", ".svg", ".pdf", ".csv"}
    assert all(path.is_file() for path in paths)
