"""What is remembered of records is never believed of other content, and saves reading and judging."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from forged import committed, forged_fields, stored

from mmulbench.files import read_regular
from mmulbench.records.record_files import Unreadable
from mmulbench.validity import index as module
from mmulbench.validity.index import Entry, RecordIndex
from mmulbench.validity.known import findings_in, judge
from mmulbench.validity.sift import sift

LATER = 10**11
"""Nanoseconds after which every file of a test has settled."""


@pytest.fixture
def later(monkeypatch):
    """Let the clock be late enough for hints on files that were written now."""
    now = time.time_ns
    monkeypatch.setattr("mmulbench.validity.index.time.time_ns", lambda: now() + LATER)


@pytest.fixture
def judged(monkeypatch) -> list[str]:
    """Ids of the records that were judged."""
    found: list[str] = []
    monkeypatch.setattr(module, "judge", lambda record: found.append(record.run_id) or judge(record))
    return found


@pytest.fixture
def read(monkeypatch) -> list[Path]:
    """Files that were read."""
    found: list[Path] = []
    monkeypatch.setattr(module, "read_regular", lambda path: found.append(path) or read_regular(path))
    return found


@pytest.fixture
def results(tmp_path):
    for method in ("mmul", "scrub", "finetune"):
        stored(tmp_path / "results", committed(method))
    return tmp_path / "results"


def look(results) -> list[Entry | Unreadable]:
    return RecordIndex(results, results.parent / "cache").entries()


def valid(results) -> list[str]:
    entries, _ = sift(look(results), results)
    return [entry.path.parent.name for entry in entries]


def left_out(results) -> dict[str, str]:
    _, found = sift(look(results), results)
    return {one.path.parent.name: one.reason for one in found}


def test_nothing_is_judged_twice(results, judged):
    first = look(results)
    assert len(judged) == 3
    assert look(results) == first and len(judged) == 3
    assert RecordIndex(results).entries() == first and len(judged) == 6  # without a cache


@pytest.mark.usefixtures("later")
def test_files_that_have_not_changed_are_not_read(results, read):
    first = look(results)
    assert len(read) == 3
    read.clear()
    assert look(results) == first and read == []


def test_files_that_were_just_written_are_read_again(results, read, judged, monkeypatch):
    monkeypatch.setattr("mmulbench.validity.index.time.time_ns", lambda: 0)  # before they were
    look(results)
    assert look(results) and len(read) == 6 and len(judged) == 3


@pytest.mark.parametrize("most", [1, 10**5, 10**9])
def test_batches_of_any_size_give_what_single_looks_give(results, judged, monkeypatch, most):
    first = min(results.rglob("*.json"))
    (first.parent / "copy.json").write_bytes(first.read_bytes())
    (first.parent / "damaged.json").write_text("{")
    (first.parent / "link.json").symlink_to("nowhere")
    monkeypatch.setattr(module, "BATCH_BYTES", most)
    monkeypatch.setattr(module, "MOST_FRESH", 2)
    index = RecordIndex(results, None, lambda record: record)
    found = index.entries()
    assert len(judged) >= 3 and set(judged) == {one.known.run_id for one in found if isinstance(one, Entry)}
    single = RecordIndex(results)
    assert found == [single.look(one.path) if one.path.exists() else one for one in found]
    assert [type(one) for one in found].count(Unreadable) == 2 and len(found) == 6
    assert len(index.fresh) == 2 and all(
        record.run_id in judged and digest in {one.digest for one in found if isinstance(one, Entry)}
        for digest, record in index.fresh.items()
    )


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("same_time", [False, True])
def test_a_forged_record_is_seen(results, same_time):
    assert valid(results) == ["finetune", "mmul", "scrub"]
    (path,) = results.glob("emoji/*/mmul/*.json")
    before = path.stat()
    utility = committed()["values"]["test"]["value"]
    forged = path.read_text().replace(f'"value": {utility}', f'"value": {"1" + str(utility)[1:]}', 1)
    with path.open("r+") as file:  # the same file, as long as before
        file.write(forged)
    if same_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert valid(results) == ["finetune", "scrub"]
    assert left_out(results)["mmul"].startswith("values.test")


@pytest.mark.usefixtures("later")
def test_added_removed_and_truncated_records_are_seen(results):
    look(results)
    stored(results, committed("retrain"))
    (removed,), (cut,) = results.glob("emoji/*/mmul/*.json"), results.glob("emoji/*/scrub/*.json")
    removed.unlink()
    cut.write_bytes(cut.read_bytes()[:-100])
    assert valid(results) == ["finetune", "retrain"]
    assert left_out(results)["scrub"].startswith("not valid JSON")


@pytest.mark.usefixtures("later")
def test_a_copy_out_of_place_is_seen_and_a_moved_folder_is_not_judged_again(results, judged):
    look(results)
    (path,) = results.glob("emoji/*/mmul/*.json")
    copy = path.with_name("other.json")
    copy.write_bytes(path.read_bytes())
    assert left_out(results)["mmul"] == f"it is the record that belongs at {path}"
    copy.unlink()
    path.rename(copy)
    assert valid(results) == ["finetune", "scrub"] and len(judged) == 3


def test_other_code_judges_anew(results, judged, monkeypatch):
    look(results)
    monkeypatch.setattr(module, "judging_code", lambda: "0" * 64)
    look(results)
    look(results)
    assert len(judged) == 6
    codes = iter("ab")
    monkeypatch.setattr(module, "judging_code", lambda: next(codes))  # edited meanwhile
    look(results)
    monkeypatch.setattr(module, "judging_code", lambda: "a")
    look(results)
    assert len(judged) == 12


@pytest.mark.parametrize("name", ["SCHEMA_VERSION", "FORMAT"])
def test_another_version_judges_anew(results, judged, monkeypatch, name):
    look(results)
    monkeypatch.setattr(module, name, 99)
    look(results)
    assert len(judged) == 6


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def swap_rows(path: Path) -> None:
    """Let the file say of a record what belongs to another, as who writes to it by hand may."""
    content = path.read_text()
    path.write_text(content.replace('"mmul"', '"xxxx"'))


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("spoil", [Path.unlink, damage, swap_rows])
def test_a_spoiled_index_is_made_again(results, judged, spoil):
    first = look(results)
    (path,) = (results.parent / "cache").glob("*.json")
    spoil(path)
    assert look(results) == first and len(judged) == 6
    assert look(results) == first and len(judged) == 6


@pytest.mark.parametrize("in_the_way", ["cache", "cache/digests"])
def test_without_a_place_it_is_slower_and_not_wrong(results, judged, in_the_way):
    place = results.parent / in_the_way
    place.parent.mkdir(exist_ok=True)
    place.write_text("no folder")
    first = look(results)
    assert len(first) == 3 and look(results) == first


def test_what_belongs_to_no_file_is_forgotten(results):
    look(results)
    (path,) = (results.parent / "cache").glob("*.json")
    size = path.stat().st_size
    (gone,) = results.glob("emoji/*/mmul/*.json")
    gone.unlink()
    look(results)
    assert path.stat().st_size < size
    RecordIndex(results, path.parent).entries("flags")
    assert valid(results) == ["finetune", "scrub"]


def test_several_at_once_do_no_harm(results):
    first = look(results)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == first for found in pool.map(lambda _: look(results), range(8)))
    (path,) = (results.parent / "cache").glob("*.json")
    assert [left for left in path.parent.rglob("*") if left.suffix != ".json" and left.is_file()] == []


def test_a_plug_in_that_a_command_names_counts(results, tmp_path, judged):
    plugin = tmp_path / "mine.py"
    plugin.write_text("X = 1\n")
    fields = forged_fields(
        {"spec.plugins": {"mmul": "0" * 16}, "command": f"mmulbench run --plugin {plugin}"}
    )
    stored(results, fields)
    look(results)
    look(results)
    assert len(judged) == 4
    plugin.write_text("X = 2\n")
    look(results)
    assert len(judged) == 5 and judged[-1] == fields["run_id"]


def test_names_that_are_there_twice_are_found_and_remembered(results, read):
    (path,) = results.glob("emoji/*/mmul/*.json")
    path.write_text(path.read_text().replace('"seed": 42', '"seed": 7, "seed": 42'))
    for count in (1, 0):
        index = RecordIndex(results, results.parent / "cache")
        entries = {entry.path: entry for entry in index.entries() if isinstance(entry, Entry)}
        read.clear()
        assert index.twice(entries[path]) == ["seed"] and len(read) == count
        index.save()


def test_what_is_known_is_what_the_record_says(results):
    entry = next(one for one in look(results) if "mmul" in one.path.parts)
    fields = committed()
    assert entry.path == results / entry.known.home
    assert (entry.known.run_id, entry.known.seed) == (fields["run_id"], 42)
    assert (entry.known.gap, entry.known.status) == (fields["values"]["retrain_gap"]["value"], "done")
    assert json.loads(entry.known.table)[:2] == ["emoji", "albef:packaged"]
    assert [one for one in findings_in(entry.known.findings) if one.is_fault] == []
