"""`mmulbench report`: the page of a record, its folder, and what is refused."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from audited import Page
from forged import RESULTS, committed, forged_fields, stored
from pages import COMMANDS

from mmulbench.cli.app import main

PAGE = "index.html"


@pytest.fixture
def results(tmp_path):
    stored(tmp_path / "results", committed())
    return tmp_path / "results"


def report(tmp_path, *words):
    return main(["report", *words, "--results-dir", str(tmp_path / "results"), "-o", str(tmp_path / "page")])


def test_the_documented_command_works_as_it_stands(results, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(COMMANDS["report"])
    assert program == "mmulbench" and main(words) == 0
    written = Path(capsys.readouterr().out.strip())
    assert "mmul did not forget" in Page((tmp_path / written).read_text()).text


def test_json_has_path_and_facts(results, tmp_path, capsys):
    assert report(tmp_path, "mmul", "--no-examples", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert Path(found["path"]) == tmp_path / "page" / PAGE
    assert found["judgement"]["kind"] == "did not forget"
    assert found["examples"]["reason"] == "they were left out on request"


def test_without_scores_the_page_says_why_there_are_no_examples(results, tmp_path):
    assert report(tmp_path, "mmul") == 0
    text = Page((tmp_path / "page" / PAGE).read_text()).text
    assert "No examples are shown: no scores by unit were kept with the record." in text


def test_a_folder_that_holds_something_is_refused_before_anything_is_done(results, tmp_path, capsys):
    assert report(tmp_path, "mmul") == 0
    before = (tmp_path / "page" / PAGE).read_bytes()
    assert report(tmp_path, "nothing") == 2
    assert "--replace writes over it" in capsys.readouterr().err
    assert report(tmp_path, "mmul", "--replace", "--no-examples") == 0
    assert (tmp_path / "page" / PAGE).read_bytes() != before
    (tmp_path / "page" / "mine.txt").touch()
    assert report(tmp_path, "mmul", "--replace") == 2


def test_a_name_of_several_records_is_refused(results, tmp_path, capsys):
    stored(results, committed("scrub"))
    assert report(tmp_path, "emoji") == 2
    assert "'emoji' names 2 records, such as" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nowhere.json"], 2, "there is no record nowhere.json"),
        (["mmul", "--show-ids"], 2, "holds no ids"),
        (["mmul", "--no-examples", "--forget", "list.txt"], 2, "leave out one of both"),
        (["mmul", "--forget-where", "text == flag"], 2, "drawn by the seed: leave out --forget"),
        (["mmul", "--forget", "nowhere.txt"], 2, "--forget nowhere.txt cannot be read"),
        (["mmul", "--plugin", "nowhere.py"], 2, "nowhere.py"),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(results, tmp_path, capsys, words, code, message):
    assert report(tmp_path, *words) == code
    err = capsys.readouterr().err
    assert message in err and len(err.splitlines()) == 1
    assert not (tmp_path / "page").exists()


def test_a_record_that_does_not_hold_has_no_report(tmp_path, capsys):
    stored(tmp_path / "results", forged_fields({"values.test.value": 17.0}))
    assert report(tmp_path, "mmul", "--no-examples") == 1
    assert "no report is made of a record that does not hold" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


@pytest.mark.slow
def test_no_torch_is_imported_without_examples(tmp_path):
    (record, *_) = sorted(RESULTS.glob("emoji/*/mmul/*.json"))
    code = "import sys; from mmulbench.cli.app import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    words = ["report", str(record), "--no-examples", "-o", str(tmp_path / "page")]
    done = subprocess.run([sys.executable, "-c", code, *words], check=False, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 False", done.stderr


@pytest.mark.slow
def test_a_run_of_now_has_examples_with_pictures(ready, tmp_path, capsys):
    (path,) = ready.results.rglob("mmul/*.json")
    words = ["--cache-dir", str(tmp_path / "cache"), "-o", str(tmp_path / "page")]
    assert main(["report", str(path), *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    shown = found["examples"]["shown"]
    assert len(shown) == json.loads(path.read_text())["spec"]["forget_size"]
    page = Page((tmp_path / "page" / PAGE).read_text())
    assert sum("which was to be forgotten" in one["alt"] for one in page.all("img")) == len(shown)
    for one in shown:
        assert all(text in page.text for text in one["texts"])
        for score in one["chosen"]["scores"]:
            assert f"{score['after']:.2f}".replace("-", "−") in page.text
