"""``mmulbench show NAME`` offers the records of a name; an id works where a path does."""

from __future__ import annotations

import json

import pytest
from helpers import here
from planted_results import Planted, World
from terminals import on_terminal

from mmulbench.cli.record_list import print_records
from mmulbench.errors import UsageError
from mmulbench.records.store import ResultsStore


@pytest.fixture
def results(tmp_path):
    store = ResultsStore(tmp_path)
    for record in World().records({"mmul": Planted(), "scrub": Planted()}):
        store.write(record)
    return tmp_path


def paths(results):
    return sorted(results.glob("emoji/*/mmul/*.json"))


def test_a_name_with_several_records_lists_them(results):
    done = here("show", "mmul", "--results-dir", str(results))
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["Id", "Method", "Task", "Backbone", "Size", "Seed", "Status", "Gap"]
    assert [line[1:7] for line in lines[1:4]] == [
        ["mmul", "emoji", "albef:packaged", "68", seed, "done"] for seed in ("21", "42", "87")
    ]
    assert lines[-1][:4] == ["One", "of", "them:", "mmulbench"]


def test_an_id_shows_its_record(results):
    path = paths(results)[0]
    identity = path.stem.rpartition("-")[2]
    whole = here("show", str(path), "--results-dir", str(results))
    for start in (identity, identity[:6]):
        assert here("show", start, "--results-dir", str(results)) == whole
    shown = here("show", identity, "--results-dir", str(results), "--json")
    assert json.loads(shown.out)["run_id"] == identity


def test_the_id_of_the_list_is_enough(results):
    last = here("show", "mmul", "--results-dir", str(results)).out.splitlines()[-1]
    words = last.partition("mmulbench ")[2].split()
    done = here(*words, "--results-dir", str(results))
    assert done.code == 0 and "Reproduce with:" in done.out


def test_json_names_the_files(results):
    found = json.loads(here("show", "emoji/mmul", "--results-dir", str(results), "--json").out)
    assert [entry["path"] for entry in found] == [str(path) for path in paths(results)]
    assert {entry["status"] for entry in found} == {"done"}


def test_ids_and_names_can_be_validated(results):
    found = paths(results)
    identity = found[0].stem.rpartition("-")[2]
    place = ["--results-dir", str(results)]
    assert here("validate", identity, *place) == here("validate", str(found[0]), *place)
    assert here("validate", "mmul", *place) == here("validate", *map(str, found), *place)
    assert here("validate", "mmull", *place).code == 2


def test_what_names_nothing_is_a_slip(results):
    done = here("show", "mmull", "--results-dir", str(results))
    assert done.code == 2 and "did you mean mmul?" in done.err


def test_files_that_are_no_records_are_left_out(results, capsys):
    first, *others = paths(results)
    first.write_text("{")
    print_records([first, *others], results, as_json=False)
    assert capsys.readouterr().out.count("mmul ") == 2
    for path in others:
        path.write_text("{")
    with pytest.raises(UsageError, match="none of the 3 files"):
        print_records([first, *others], results, as_json=False)


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 40])
def test_a_terminal_cuts_nothing(results, width):
    code, out = on_terminal(width, "-m", "mmulbench", "show", "mmul", "--results-dir", str(results))
    assert code == 0
    assert "…" not in out
    assert all(len(line) <= width for line in out.splitlines())
    assert "done" in out
