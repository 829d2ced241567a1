"""Whatever a file under the results is and holds, it is a record or is named with a reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from planted_results import Planted, World

from mmulbench.records.record_files import Unreadable, find_files, read_file
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore


@pytest.fixture(scope="module")
def record() -> RunResult:
    *_, found = World(seeds=(42,)).records({"mmul": Planted()}, draws=0)
    return found


def edited(record: RunResult, *place: str, value: object) -> str:
    """The JSON of a record, something in it replaced."""
    fields = record.model_dump(mode="json")
    inner = fields
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return json.dumps(fields)


ODD = {
    "a number too large": (("values", "test", "value"), 1e308, "values.test.value: Input should be"),
    "a cost too large": (("cost", "seconds"), 1e308, "cost.seconds: Input should be less than"),
    "more units than there can be": (("spec", "forget_size"), 10**200, "spec.forget_size: Input should be"),
    "a count too large": (("values", "test", "n"), 10**30, "values.test.n: Input should be less than"),
    "no time zone": (("started",), "2026-01-01T12:00:00", "started: Input should have timezone info"),
    "fewer edges": (
        ("histograms", "matching", "edges"),
        [0.0],
        "histograms.matching: edges of bins must rise",
    ),
    "equal edges": (
        ("histograms", "matching", "edges"),
        [1.0, 1.0],
        "histograms.matching: edges of bins must rise",
    ),
    "more counts": (
        ("histograms", "matching", "after"),
        {"forget": [1, 2]},
        "histograms.matching: there must be a count for each bin",
    ),
    "fewer units": (("by_unit", "forget"), [0.5], "by_unit must hold for each unit its pairs"),
    "units without pairs": (("by_unit", "pairs"), [0.0] * 68, "by_unit must hold for each unit its pairs"),
}


@pytest.mark.parametrize("case", ODD)
def test_what_no_table_can_be_made_of_is_no_record(record, tmp_path, case):
    place, value, reason = ODD[case]
    path = tmp_path / "x.json"
    path.write_text(edited(record, *place, value=value))
    found = read_file(path)
    assert isinstance(found, Unreadable) and found.is_damaged
    assert found.reason.startswith(reason)


def test_json_in_json_in_json_has_a_reason(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    found = read_file(path)
    assert isinstance(found, Unreadable)
    assert found.reason.startswith("not valid JSON: ")


def test_only_regular_files_of_bearable_size_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    assert read_file(tmp_path / "pipe.json") == Unreadable(
        tmp_path / "pipe.json", "not a regular file", is_damaged=False
    )
    assert read_file(tmp_path) == Unreadable(tmp_path, "Is a directory", is_damaged=False)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(200 << 20)
    assert read_file(large) == Unreadable(large, "200 MiB are too much: at most 32", is_damaged=False)


@pytest.mark.parametrize("version", [2, "2", 0])
def test_a_record_of_another_version_may_be_a_good_one(record, tmp_path, version):
    path = tmp_path / "x.json"
    path.write_text(edited(record, "schema_version", value=version))
    assert read_file(path) == Unreadable(
        path, f"schema_version is {version}, this mmulbench reads 1", is_damaged=False
    )


def names(folder: Path) -> list[str]:
    """What is found below a folder, with the reasons of what cannot be read."""
    return [
        f"{found.path.relative_to(folder)}: {found.reason}"
        if isinstance(found, Unreadable)
        else str(found.relative_to(folder))
        for found in find_files(folder)
    ]


def test_linked_folders_are_searched_and_dead_links_named(tmp_path):
    results = tmp_path / "results"
    (results / "b").mkdir(parents=True)
    (tmp_path / "disk").mkdir()
    for path in (tmp_path / "disk" / "1.json", results / "b" / "2.json", results / "c.txt"):
        path.write_text("{}")
    (results / "a").symlink_to(tmp_path / "disk")
    (results / "b" / "back").symlink_to(results)
    (results / "gone").symlink_to(tmp_path / "unmounted")
    (results / "round.json").symlink_to("round.json")
    assert names(results) == [
        "a/1.json",
        "b/2.json",
        "b/back: it leads back to a folder that it lies in",
        "gone: a link that leads nowhere",
        "round.json: a link that leads nowhere",
    ]
    assert names(tmp_path / "none") == []
    assert names(results / "c.txt") == [".: Not a directory"]


def test_a_folder_that_cannot_be_searched_is_named(tmp_path, monkeypatch):
    for name in ("a", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.json").write_text("{}")
    scandir = os.scandir

    def refuse(folder):
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names(tmp_path) == ["a/1.json", "closed: Permission denied"]


def test_folders_too_deep_are_named(tmp_path):
    deep = tmp_path.joinpath(*["d"] * 300)
    deep.mkdir(parents=True)
    (deep / "1.json").write_text("{}")
    (found,) = names(tmp_path)
    assert found.endswith("d/d: too deep")


def test_one_odd_file_costs_the_store_that_file_alone(record, tmp_path):
    store = ResultsStore(tmp_path / "disk")
    store.write(record)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "emoji").symlink_to(tmp_path / "disk" / "emoji")
    os.mkfifo(tmp_path / "results" / "a.json")
    (tmp_path / "results" / "b.json").write_text("[" * 100_000)
    for task in (None, "emoji"):
        results, unreadable = ResultsStore(tmp_path / "results").load_all(task)
        assert results == [record]
        assert [found.path.name for found in unreadable] == ([] if task else ["a.json", "b.json"])
