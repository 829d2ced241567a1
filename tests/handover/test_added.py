"""Records are rewritten with further values, from their file to their file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import mmulbench
from mmulbench.core import plugins
from mmulbench.core.registry import METRICS
from mmulbench.handover.added import Asked, add_values
from mmulbench.progress import Progress
from mmulbench.records.store import read_record
from mmulbench.runs.request import RunOptions
from mmulbench.validity.record import faults

METRIC = Path(mmulbench.__file__).parent / "authoring" / "templates" / "my_metric.py"
SMALL = {"task.limit": 60, "recipe.epochs": 1, "epochs": 1}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("added")
    return {"results_dir": root / "results", "cache_dir": root / "cache", "tuned_dir": root / "tuned"}


class Heard(Progress):
    def __init__(self, notes):
        self.notes = notes

    def note(self, line):
        self.notes.append(line)


def run(folders, **options):
    more = {"backbone": "albef:tiny", "settings": SMALL, "progress": False}
    return mmulbench.run("finetune", "emoji", **{**more, **folders, **options})


@pytest.fixture(scope="module")
def record(folders):
    return run(folders)


@pytest.fixture
def place(record, folders, tmp_path):
    """The file of the record in a folder of results of its own, to change."""
    root = Path(shutil.copytree(folders["results_dir"], tmp_path / "results"))
    (path,) = (one for one in root.rglob("*.json") if record.run_id in one.name)
    return path


def add(place, folders, *metrics, files=(METRIC,), heard=None, **more):
    options = RunOptions(cache_dir=folders["cache_dir"], plugins=files)
    return add_values(place, options, Asked(metrics, **more), Heard([] if heard is None else heard))


@pytest.mark.slow
def test_the_values_are_those_of_a_run_with_the_metric(record, place, folders):
    units = place.with_suffix(".units.parquet").read_bytes()
    stored = add(place, folders, "my_metric")
    assert stored.is_new and read_record(place) == stored.result and faults(stored.result) == []
    assert stored.result.run_id == record.run_id and stored.result.code["metric my_metric"]
    assert place.with_suffix(".units.parquet").read_bytes() == units
    before, after = (json.loads(one) for one in (record.model_dump_json(), place.read_text()))
    assert {name: after["values"][name] for name in before["values"]} == before["values"]
    at_once = run(folders, plugins=[METRIC])
    assert at_once.run_id != record.run_id, "there the file is a part of the run"
    assert at_once.values == stored.result.values
    assert list(stored.result.added[0].plugins.values()) == [at_once.spec.plugins["my_metric"]]


def test_a_second_time_nothing_is_computed(place, folders):
    add(place, folders, "my_metric")
    text, heard = place.read_text(), []
    stored = add(place, folders, "my_metric", "mia", heard=heard)
    assert not stored.is_new and place.read_text() == text
    assert heard == [f"record {stored.result.run_id} has my_metric, mia already: kept as it is"]


def test_a_record_outside_a_folder_of_results_is_rewritten_where_it_is(place, folders, tmp_path):
    copy = Path(shutil.copy(place, tmp_path / "one.json"))
    text = place.read_text()
    assert add(copy, folders, "my_metric").path == copy
    assert "my_metric" in read_record(copy).values and place.read_text() == text


def test_a_run_finds_the_record_with_what_was_added(place, folders, monkeypatch):
    added = add(place, folders, "my_metric").result
    METRICS.discard("my_metric")  # as in another process, which does not know the file
    monkeypatch.setattr(plugins, "_LOADED", {})
    again = run({**folders, "results_dir": place.parents[3]})
    assert again == added


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"code": {"method": "0" * 16}}, "made by other code of method than today's"),
        ({"values": {}}, "to a record that does not hold"),
    ],
)
def test_records_that_cannot_be_added_to(changes, message, place, folders):
    text = {**json.loads(place.read_text()), **changes}
    place.write_text(json.dumps(text))
    with pytest.raises(mmulbench.MmulbenchError, match=message):
        add(place, folders, "my_metric")
    assert json.loads(place.read_text()) == text


@pytest.mark.slow
def test_a_list_has_to_be_given_again(folders, tmp_path):
    for name, ids in (("asked", "7\n3\n"), ("other", "7\n4\n")):
        (tmp_path / name).write_text(ids)
    run({**folders, "results_dir": tmp_path / "results"}, forget=tmp_path / "asked")
    (place,) = (tmp_path / "results").rglob("*.json")
    with pytest.raises(mmulbench.UsageError, match="give the list with --forget"):
        add(place, folders, "my_metric")
    with pytest.raises(mmulbench.UsageError, match="today's data, list, models or versions make the run"):
        add(place, folders, "my_metric", forget=str(tmp_path / "other"))
    assert add(place, folders, "my_metric", forget=str(tmp_path / "asked")).is_new


def test_a_model_is_no_record(tmp_path, folders):
    with pytest.raises(mmulbench.UsageError, match="is a model, not a record"):
        add(tmp_path, folders, "mia")


def test_a_plug_in_file_that_is_not_as_it_was_is_asked_for(folders, tmp_path):
    moved = Path(shutil.copy(METRIC, tmp_path / "mine.py"))
    found = run({**folders, "results_dir": tmp_path / "results"}, plugins=[moved])
    (place,) = (tmp_path / "results").rglob("*.json")
    moved.unlink()
    with pytest.raises(mmulbench.UsageError, match="the plug-in file of my_metric, which is not where"):
        add(place, folders, "mia", files=())
    METRICS.discard("my_metric")  # as in another process, which has never seen the first file
    assert add(place, folders, "mia").result == found


def test_a_metric_that_was_typed_in_is_refused(place, folders):
    from mmulbench.metrics.catalogue.mia import Mia

    typed = type("Typed", (Mia,), {"__module__": "__main__"})
    METRICS.register("typed")(typed)
    try:
        with pytest.raises(mmulbench.UsageError, match="was registered in this session and has no file"):
            add(place, folders, "typed")
    finally:
        METRICS.discard("typed")
