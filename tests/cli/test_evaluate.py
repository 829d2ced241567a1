"""A model that is written is judged again from outside: the same values, and none of the method's code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from forged import committed, stored
from helpers import ONE_EPOCH, TINY, Bench, here

import mmulbench

METRIC = Path(mmulbench.__file__).parent / "authoring" / "templates" / "my_metric.py"
RUN = ["-m", "finetune", *TINY, *ONE_EPOCH, "-b", "albef:tiny"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("saved"))
    done = bench.run("run", *RUN, "--json", "--save-model", str(bench.root / "model"))
    assert done.code == 0, done.err
    return bench, done.records[0]


@pytest.mark.slow
def test_a_model_judged_from_outside_has_the_values_of_its_run(saved):
    bench, record = saved
    words = ["evaluate", str(bench.root / "model"), "--name", "mine", *TINY, "-b", "albef:tiny", "--json"]
    done = bench.run(*words, "--seconds", "12")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["spec"]["method"] == "external:mine"
    assert found["values"] == json.loads(record.model_dump_json())["values"]
    assert found["weights"] == record.weights and "method" not in found["code"]
    assert found["cost"]["seconds"] == 12 and found["cost"]["seconds_ratio"] > 0
    assert found["command"].startswith(f"mmulbench evaluate {bench.root / 'model'}@")
    assert here("validate", "--results-dir", str(bench.results)).code == 0
    table = here("leaderboard", "--results-dir", str(bench.results))
    assert "external:mine" in table.out
    again = bench.run("export", found["run_id"], str(bench.root / "again"))
    assert again.code == 2 and "judges a model that was made elsewhere" in again.err


@pytest.mark.slow
def test_a_record_s_model_is_made_again(saved):
    bench, record = saved
    done = bench.run("export", record.run_id, str(bench.root / "exported"))
    assert done.code == 0, done.err
    facts = [json.loads((bench.root / name / "mmulbench.json").read_text()) for name in ("model", "exported")]
    assert facts[0] == facts[1]
    taken = bench.run("export", record.run_id, str(bench.root / "exported"))
    assert taken.code == 2 and "is there already" in taken.err


def test_a_folder_that_is_there_is_refused_before_anything_is_computed(tmp_path):
    done = here("run", *RUN, "--save-model", str(tmp_path), "--results-dir", str(tmp_path / "results"))
    assert done.code == 2 and "is there already: choose another folder" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "--name", "mine"], "the model nowhere is not there"),
        (["nowhere", "--name", "a b"], "--name 'a b': use at most 80 letters"),
        (["nowhere", "--name", "mine", "--flops", "3"], "--flops goes with --seconds"),
        (["nowhere", "--name", "mine", "--seconds", "-1"], "--seconds and --flops are 0 or more"),
    ],
)
def test_wrong_use_of_evaluate(words, message, tmp_path):
    done = here("evaluate", *words, *TINY, "--results-dir", str(tmp_path / "results"))
    assert done.code == 2 and message in done.err


@pytest.mark.slow
def test_further_metrics_of_a_record_and_of_a_model_from_elsewhere(saved):
    bench, record = saved
    model = str(bench.root / "model")
    bench.run("evaluate", model, "--name", "other", *TINY, "-b", "albef:tiny", "-q")
    (outside,) = (bench.results / "emoji" / "albef-tiny" / "external-other").glob("*.json")
    plugin = ["--plugin", str(METRIC)]
    own = bench.run("evaluate", record.run_id, "--metrics", "my_metric", *plugin, "--model", model, "--json")
    assert own.code == 0, own.err
    found = json.loads(own.out)
    assert found["run_id"] == record.run_id and found["added"][0]["metrics"] == ["my_metric"]
    for kind in ("measurements", "unlearned"):
        shutil.rmtree(bench.cache / kind, ignore_errors=True)
    same = bench.run("evaluate", str(outside), "--metrics", "my_metric", *plugin, "-q")
    assert (same.code, same.out) == (0, f"{outside}\n"), same.err
    values = json.loads(outside.read_text())["values"]
    assert values["my_metric"] == found["values"]["my_metric"]
    shown = bench.run("show", record.run_id)
    assert f"mmulbench evaluate {record.run_id} --metrics my_metric --plugin FILE" in shown.out
    assert bench.run("validate", str(bench.results)).code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{id}"], "--task is missing: evaluate takes a model with --name and --task, or a record with"),
        (["{id}", "--task", "emoji"], "--name is missing"),
        (["{id}", "--model", "m", "--task", "emoji"], "--model goes with --metrics"),
        (["{id}", "--shadows", "4", "--task", "emoji"], "--shadows goes with --metrics"),
        (["{id}", "--name", "x", "--task", "emoji"], "there is no model {id}, and a record is called so"),
        (["{file}", "--name", "x", "--task", "emoji"], "is a record, or no model"),
        (["{id}", "--metrics", "miaa"], "unknown metric 'miaa'; did you mean mia"),
        (
            ["{id}", "--metrics", "mia", "--seed", "3"],
            "--seed goes with a model, and",
        ),
        (["{id}", "--metrics", "mia,"], "lacks a name beside a comma"),
        (["{id}", "--metrics", "u_lira"], "u_lira: give --shadows N"),
        (["{id}", "--metrics", "u_lira", "--shadows", "1"], "--shadows 1 is too few"),
        (["{folder}", "--metrics", "mia"], "is no record: evaluate takes a model"),
        (["{picture}", "--metrics", "mia"], "is no record: evaluate takes a model"),
        (["nothing", "--metrics", "mia"], "'nothing' is no record's path or name"),
    ],
)
def test_what_is_meant_is_said_by_the_options(words, message, tmp_path):
    place = stored(tmp_path, committed())
    names = {"id": json.loads(place.read_text())["run_id"], "file": place, "folder": tmp_path}
    names["picture"] = tmp_path / "model.pth"
    names["picture"].write_bytes(b"no record")
    text = place.read_text()
    done = here("evaluate", *(word.format(**names) for word in words), "--results-dir", str(tmp_path))
    assert done.code == 2 and message.format(**names) in done.err
    assert place.read_text() == text


def test_a_metric_that_is_there_is_left_alone(tmp_path):
    place = stored(tmp_path, committed())
    (tmp_path / place.stem.rpartition("-")[2]).mkdir()  # a folder of the same name is no record
    text = place.read_text()
    words = [place.stem.rpartition("-")[2], "--metrics", "mia", "--results-dir", str(tmp_path), "-q"]
    done = here("evaluate", *words)
    assert (done.code, done.out) == (0, f"{place}\n")
    assert "has mia already: kept as it is" in done.err and place.read_text() == text


def test_records_that_have_no_model(tmp_path):
    done = here("export", "abcdef", str(tmp_path / "model"), "--results-dir", str(tmp_path))
    assert done.code == 2 and "no record's path or name" in done.err
