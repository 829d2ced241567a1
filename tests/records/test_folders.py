from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from planted_results import World

from mmulbench.records.folders import unusual, with_folders
from mmulbench.records.store import ResultsStore


@pytest.fixture
def record():
    return World().records({})[0]


def test_only_what_is_elsewhere_than_by_default_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    usual = {"--data-dir": tmp_path / "data", "--cache-dir": tmp_path / "cache" / "mmulbench"}
    assert unusual(usual) == {}
    assert unusual({"--data-dir": Path("data")}) == {}
    assert unusual({**usual, "--data-dir": Path("more/data")}) == {"--data-dir": str(tmp_path / "more/data")}


def test_what_a_variable_says_is_no_default(monkeypatch, tmp_path):
    monkeypatch.setenv("MMULBENCH_DATA", str(tmp_path))
    assert unusual({"--data-dir": tmp_path}) == {"--data-dir": str(tmp_path)}


def test_a_command_goes_where_the_record_lies(record, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usual = ResultsStore(Path("results")).write(record)
    assert with_folders("mmulbench run", record, usual) == "mmulbench run"
    assert with_folders("mmulbench run", record, usual.absolute()) == "mmulbench run"
    there = ResultsStore(tmp_path / "my results").write(record)
    command = with_folders("mmulbench run -m x", record, there)
    assert shlex.split(command)[4:] == ["--results-dir", str(tmp_path / "my results")]


def test_a_copy_out_of_place_names_no_results_folder(record, tmp_path):
    alone = tmp_path / "alone.json"
    alone.write_text(record.model_dump_json())
    assert with_folders("mmulbench run", record, alone) == "mmulbench run"


def test_the_folders_that_the_run_read_are_named(record, tmp_path):
    read = record.model_copy(update={"folders": {"--data-dir": "/my data"}})
    forged = record.model_copy(
        update={"folders": {"--data-dir": "/my data", "; rm": "-rf ~", "--set": "x=1"}}
    )
    assert with_folders("mmulbench run", forged, tmp_path / "x.json").endswith("run --data-dir '/my data'")
    assert with_folders("mmulbench run", read, tmp_path / "x.json") == "mmulbench run --data-dir '/my data'"
