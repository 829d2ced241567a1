"""`mmulbench report` without a record: the site of all results."""

from __future__ import annotations

import json
import shlex

import pytest
from forged import committed, forged_fields, stored
from pages import COMMANDS
from sites import METHODS, small_results

from mmulbench.cli.app import main


@pytest.fixture
def results(tmp_path):
    return small_results(tmp_path / "results")


def report(tmp_path, *words):
    return main(["report", "--results-dir", str(tmp_path / "results"), "-o", str(tmp_path / "site"), *words])


def test_it_is_written_compared_and_written_over(results, tmp_path, capsys):
    assert report(tmp_path) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "site" / "index.html")
    assert report(tmp_path, "--check") == 0
    assert capsys.readouterr().out.strip().endswith(f"matches the records in {results}")
    assert report(tmp_path) == 2
    assert "--replace writes over it" in capsys.readouterr().err
    stored(results, committed("finetune"))
    assert report(tmp_path, "--check") == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "index.html, and 1 more: run mmulbench report --results-dir" in err
    assert err.strip().endswith("--replace")
    assert report(tmp_path, "--replace") == report(tmp_path, "--check") == 0


def test_json_has_the_path_and_what_is_left_out(results, tmp_path, capsys):
    stored(results, forged_fields({"values.test.value": 17.0}))
    assert report(tmp_path, "--json") == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["path"] == str(tmp_path / "site" / "index.html")
    assert (found["tables"], found["runs"]) == (1, len(METHODS) - 1)
    assert "mmul" in found["left_out"][0]["path"] and "left out" in err


def test_without_scores_by_unit_a_page_says_why_there_are_no_examples(results, tmp_path):
    assert report(tmp_path, "--examples") == 0
    (page, *_) = sorted((tmp_path / "site" / "runs").iterdir())
    assert "No examples are shown: no scores by unit were kept with the record." in page.read_text()


def test_the_documented_command_works_as_it_stands(results, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(COMMANDS["site"])
    assert program == "mmulbench" and main(words) == 0
    assert "Results of mmulbench" in (tmp_path / capsys.readouterr().out.strip()).read_text()


@pytest.mark.slow
def test_pages_of_runs_have_examples_where_scores_and_data_are_there(ready, tmp_path):
    words = ["--results-dir", str(ready.results), "--cache-dir", str(tmp_path / "cache")]
    assert report(tmp_path, *words, "--examples") == 0
    (record,) = ready.results.rglob("mmul/*.json")
    text = (tmp_path / "site" / "runs" / f"{json.loads(record.read_bytes())['run_id']}.html").read_text()
    count = json.loads(record.read_bytes())["spec"]["forget_size"]
    assert text.count(", which was to be forgotten") == count
    assert text.count('<img src="data:image/jpeg;base64,') > count, "what models rank first has pictures, too"
    assert report(tmp_path, *words, "--replace") == 0
    assert all("<img" not in path.read_text() for path in (tmp_path / "site" / "runs").iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--show-ids"], "--show-ids is of one run: name its record, or leave it out"),
        (["--forget", "list.txt"], "--forget is of one run"),
        (["--forget-where", "text == flag"], "--forget-where is of one run"),
        (["mmul", "--check"], "--check compares the site of all results: leave out the record"),
        (["--check", "--replace"], "--check writes nothing: leave out --replace"),
    ],
)
def test_options_that_say_nothing_together_are_refused(results, tmp_path, capsys, words, message):
    assert report(tmp_path, *words) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.splitlines()) == 1
    assert not (tmp_path / "site").exists()
