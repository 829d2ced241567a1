"""The command ``mmulbench validate``, as a user gives it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest
from forged import RESULTS, committed, forged_fields, stored
from pages import COMMANDS

from mmulbench.cli.app import main


def test_committed_records_hold(capsys, monkeypatch):
    monkeypatch.chdir(RESULTS.parent)
    assert main(shlex.split(COMMANDS["validate"])[1:]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" records: all hold")


def test_the_results_folder_is_checked_by_default(tmp_path, capsys, monkeypatch):
    stored(tmp_path / "results", committed())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MMULBENCH_RESULTS", raising=False)
    assert main(["validate"]) == 0
    assert capsys.readouterr().out == "1 record: all hold\n"
    assert main(["validate", "--results-dir", "other"]) == 2


def test_each_fault_is_a_line_with_file_and_field(tmp_path, capsys):
    good = stored(tmp_path, committed("scrub"))
    changes = {"values.test.value": 17.0, "values.retrain_gap.value": 0.9, "command": "rm -rf ~"}
    bad = stored(tmp_path, forged_fields(changes))
    assert main(["validate", str(good), str(bad)]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == "1 of 2 records does not hold"
    assert lines[0] == f"{bad}: values.test.value is 17; it should be in the range from 0 to 1"
    assert any(line.startswith(f"{bad}: values.retrain_gap.value is 0.9; it should be ") for line in lines)
    assert any(
        line.startswith(f"{bad}: command is rm -rf ~; it should be mmulbench run --method mmul ")
        for line in lines
    )


def test_what_cannot_be_checked_is_a_note(tmp_path, capsys):
    for seed in (1, 2):
        changes = {"spec.method": "mine", "spec.seed": seed, "code": {}, "command": ""}
        fields = forged_fields({**changes, "command": "mmulbench run --method mine --task emoji"})
        stored(tmp_path, fields)
    main(["validate", str(tmp_path)])
    text = "note: in 2 records spec.method cannot be checked: method mine is not known here"
    assert text in capsys.readouterr().out


def test_json_has_every_file(tmp_path, capsys):
    stored(tmp_path, committed("scrub"))
    bad = stored(tmp_path, forged_fields({"values.test.value": 17.0}))
    assert main(["validate", str(tmp_path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["valid"] for one in found] == [False, True]
    assert found[0]["file"] == str(bad)
    assert found[0]["faults"][0] == {
        "field": "values.test.value",
        "wrong": "is 17",
        "expected": "in the range from 0 to 1",
    }


@pytest.mark.parametrize("words", [["nowhere.json"], ["--plugin", "nowhere.py"], ["--sort"]])
def test_wrong_use_is_exit_2(words, capsys, tmp_path):
    assert main(["validate", str(stored(tmp_path, committed())), *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from mmulbench.cli.app import main; "
        f"code = main(['validate', {str(RESULTS)!r}]); "
        "print(code, {'torch', 'sklearn', 'scipy', 'transformers'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 set()"
