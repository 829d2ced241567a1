"""A model that is written is judged again from outside: the same values, and none of the method's code."""

from __future__ import annotations

import json

import pytest
from helpers import ONE_EPOCH, TINY, Bench, here

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


def test_records_that_have_no_model(tmp_path):
    done = here("export", "abcdef", str(tmp_path / "model"), "--results-dir", str(tmp_path))
    assert done.code == 2 and "no record's path or name" in done.err
