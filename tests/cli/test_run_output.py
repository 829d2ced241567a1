"""What is printed of records that lie beside others in a results folder."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from forged import committed, forged_fields, stored
from planted_results import Planted, World

from mmulbench.cli import run_output
from mmulbench.cli.app import main
from mmulbench.cli.run_output import show_record
from mmulbench.records.store import ResultsStore, read_record
from mmulbench.runs import outside, session
from mmulbench.runs.pipeline import StoredRecord
from mmulbench.runs.request import Request

ROOT = Path(__file__).resolve().parents[2]
REQUEST = Request(methods=("mmul",), task="emoji")


@pytest.fixture
def folder(tmp_path):
    """Three retrains of each of three seeds, and a method that leaks on one path."""
    store = ResultsStore(tmp_path)
    leaky = Planted({"mia/contrastive": 0.3})
    for record in World(shares=True).records({"mmul": leaky, "original": leaky}, draws=3):
        store.write(record)
    return tmp_path / "emoji" / "albef-packaged"


def shown(folder, capsys):
    (path,) = folder.glob("mmul/68-42-*.json")
    show_record(path, as_json=False)
    return " ".join(capsys.readouterr().out.split())


def test_show_reads_the_noise_floor_from_the_records_beside(folder, capsys):
    text = shown(folder, capsys)
    assert "mmul did not forget: the contrastive path still knows the forget set (attack AUC ." in text
    assert "two retrains differ by up to ." in text
    assert "Noise floor unknown" not in text


def test_files_that_are_no_records_do_not_count(folder, capsys):
    for path in (folder / "retrain_again").iterdir():
        path.write_text("{")
    assert "Noise floor unknown: `mmulbench run --method retrain_again --task emoji …`" in shown(
        folder, capsys
    )


def test_a_record_alone_has_an_unknown_floor(folder, tmp_path, capsys):
    (path,) = folder.glob("mmul/68-42-*.json")
    alone = tmp_path / "alone.json"
    alone.write_bytes(path.read_bytes())
    show_record(alone, as_json=False)
    assert "Noise floor unknown" in " ".join(capsys.readouterr().out.split())


def test_tables_in_files_and_pipes_are_whole(folder, capsys):
    (path,) = folder.glob("mmul/68-42-*.json")
    show_record(path, as_json=False)
    out = capsys.readouterr().out
    assert "…" not in out.replace("emoji …", "")
    assert all(line == line.rstrip() for line in out.splitlines())
    assert re.search(r"^Test utility +0\.\d+ ", out, re.M)


def test_a_try_that_fails_beside_a_done_record_gives_exit_code_1_and_names_what_stays(
    folder, capsys, monkeypatch
):
    (path,) = folder.glob("mmul/68-42-*.json")
    done = read_record(path)
    failed = done.model_copy(update={"status": "failed", "reason": "MemoryError: no room", "values": {}})
    useless = failed.model_copy(update={"status": "not_applicable"})

    def code(*records, **how):
        monkeypatch.setattr(session, "run_session", lambda request, progress, deliver: iter(records))
        return run_output.run_and_print(REQUEST, **{"as_json": False, "quiet": False, **how})

    for worse in (failed, useless):
        assert code(StoredRecord(worse, path, is_new=True, kept=done)) == 1
        assert f"Record: {path}, of an earlier try, which is done and stays\n" in capsys.readouterr().out
    for how in ({"quiet": True}, {"as_json": True}):
        assert code(StoredRecord(failed, path, is_new=True, kept=done), **how) == 1
        assert capsys.readouterr().err == "mmulbench: seed 42: mmul failed: MemoryError: no room.\n"
    assert code(StoredRecord(useless, path, is_new=True), StoredRecord(done, path, is_new=False)) == 0
    assert code(StoredRecord(done, path, is_new=True), StoredRecord(failed, path, is_new=True)) == 1


def test_a_model_that_cannot_be_judged_gives_its_reason_where_nothing_else_does(folder, capsys, monkeypatch):
    (path,) = folder.glob("mmul/68-42-*.json")
    fields = {"status": "failed", "reason": "MemoryError: no room", "values": {}}
    record = StoredRecord(read_record(path).model_copy(update=fields), path, is_new=True)
    monkeypatch.setattr(outside, "judge_outside", lambda request, model, progress: record)
    for how in ({"quiet": True, "as_json": False}, {"quiet": False, "as_json": True}):
        model = ("folder", "mine", None, None)
        assert run_output.evaluate_and_print(REQUEST, model, debug=False, **how) == 1
        assert capsys.readouterr().err == "mmulbench: seed 42: mmul failed: MemoryError: no room.\n"


def test_texts_with_brackets_and_escapes_are_printed_as_they_are(folder, capsys, monkeypatch):
    (path,) = folder.glob("mmul/68-42-*.json")
    done = read_record(path)
    reason = "ValueError: expected [b, c] but got [/data/x] \x1b[2J"
    failed = done.model_copy(update={"status": "failed", "reason": reason, "values": {}, "missing": [reason]})
    places = [path.parent / "r[/a]" / "x.json", path.parent / "a\x1bb"]
    records = [StoredRecord(failed, place, is_new=True) for place in places]
    monkeypatch.setattr(session, "run_session", lambda request, progress, deliver: iter(records))
    assert run_output.run_and_print(REQUEST, as_json=False, quiet=False) == 1
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    text = " ".join(shown.split())
    said = r"ValueError: expected [b, c] but got [/data/x] \x1b[2J"
    assert text.count(f"mmul failed: {said}.") == text.count(f"Missing: {said}") == 2
    assert f"Record: {places[0]}\n" in shown
    assert "a\\x1bb\n" in shown


def test_show_prints_no_escapes_of_a_record(folder, capsys):
    (path,) = folder.glob("mmul/68-42-*.json")
    odd = path.read_text().replace('"mmulbench run', '"\\u001b[2J\\nmmulbench run')
    odd = odd.replace('"platform": "Linux"', '"platform": "[/b]\\u009b"')
    odd = odd.replace('"missing": []', '"missing": ["\\u0007"]')
    (path.parent / "odd.json").write_text(odd)
    for as_json in (False, True):
        show_record(path.parent / "odd.json", as_json=as_json)
        out = capsys.readouterr().out
        assert not {"\x1b", "\x9b", "\x07"} & set(out)
    show_record(path.parent / "odd.json", as_json=False)
    text = " ".join(capsys.readouterr().out.split())
    for shown in ("Reproduce with: mmulbench run --method mmul", r"on [/b]\x9b", r"Left out: \x07"):
        assert shown in text


def test_show_says_what_does_not_hold(tmp_path, capsys):
    path = stored(tmp_path, forged_fields({"values.test.value": 17.0, "command": "rm -rf ~"}))
    assert main(["show", str(path)]) == 1
    out, err = capsys.readouterr()
    assert f"mmulbench: {path} does not hold: values.test.value is 17; it should be in the range" in err
    assert "rm -rf" not in out and "Reproduce with:\nmmulbench run --method mmul" in out
    assert main(["show", str(path), "--json"]) == 1
    out = capsys.readouterr().out
    assert "rm -rf" not in out
    assert json.loads(out)["command"].startswith("mmulbench run --method mmul --task emoji ")
    assert main(["show", str(stored(tmp_path, committed("scrub")))]) == 0


def test_a_forged_noise_floor_does_not_count(folder, capsys):
    for path in (folder / "retrain_again").iterdir():
        path.write_text(path.read_text().replace('"reason": null', '"reason": "forged"'))
    assert "Noise floor unknown" in shown(folder, capsys)


def test_the_leaderboard_leaves_out_what_does_not_hold(tmp_path, capsys):
    stored(tmp_path, committed("scrub"))
    path = stored(tmp_path, forged_fields({"values.retrain_gap.value": 0.001}))
    assert main(["leaderboard", "--results-dir", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    line = f"left out {path}: values.retrain_gap.value is 0.001; it should be "
    assert err.startswith(f"mmulbench: {line}") and err.count("\n") == 1
    assert f"## Left out\n\n- `{path}`: values.retrain" in out
    assert "| mmul |" not in out and "| scrub" in out


@pytest.mark.slow
@pytest.mark.parametrize("words", [["leaderboard"], ["show"], ["validate"], ["list", "methods"], ["status"]])
def test_commands_that_read_records_import_no_torch(words):
    """Torch alone takes seconds."""
    (record, *_) = sorted((ROOT / "results").glob("emoji/*/mmul/*.json"))
    files = [str(record)] if words[0] in ("show", "validate") else []
    code = "import sys; from mmulbench.cli.app import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *words, *files], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] in ("0 False", "2 False"), done.stderr
