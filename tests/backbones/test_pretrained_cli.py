"""Checkpoints on the command line."""

from __future__ import annotations

import json
import shlex

import pytest
from checkpoint_tools import bare_pickle, load, pickled, spoil_weight

from mmulbench.cli.app import main

TINY = ["--task", "emoji", "--device", "cpu", "--set", "task.limit=30", "--set", "recipe.epochs=1"]


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = main(["run", "-m", "finetune", *TINY, "--set", "epochs=1", "--no-reference", *words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("/missing", "the checkpoint /missing is not there: --backbone blip:PATH takes a folder with"),
        ("/missing@0123456789ab", "the checkpoint /missing is not there"),
        ("./missing/too", "the checkpoint missing/too is not there"),
        ("some-one/blip", "neither a folder here nor can it be fetched from the hub"),
        ("{file}", "is no folder: a checkpoint has config.json and weights side by side"),
        ("tinny", "unknown variant 'tinny' of backbone blip; did you mean tiny?"),
    ],
)
def test_a_checkpoint_that_is_not_there(tmp_path, monkeypatch, capsys, place, message):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "model.safetensors"
    file.touch()
    code, out, err = run(capsys, "-b", f"blip:{place.format(file=file)}")
    assert (code, out) == (2, "")
    assert err.startswith("mmulbench: ") and err.count("\n") == 1 and message in err
    assert not (tmp_path / "results").exists()


def test_a_damaged_checkpoint_on_the_command_line(own_blip, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    trap = tmp_path / "trap"
    pickled(own_blip, bare_pickle(trap))
    code, _, err = run(capsys, "-b", f"blip:{own_blip}")
    assert code == 1 and not trap.exists()
    assert err.splitlines()[-1].startswith(f"mmulbench: {own_blip}/pytorch_model.bin holds something else")


@pytest.mark.slow
def test_a_run_from_a_checkpoint_and_the_command_that_repeats_it(own_blip, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "-b", "blip:blip-tiny", "--json")
    assert code == 0, err
    [path] = (tmp_path / "results").rglob("*.json")
    record = json.loads(path.read_text())
    digest = load(own_blip).checkpoint.digest
    assert record["status"] == "done" and record["spec"]["backbone"] == f"blip:blip-tiny@{digest}"
    words = shlex.split(record["command"])
    assert words[:2] == ["mmulbench", "run"] and f"blip:./blip-tiny@{digest}" in words
    before = path.stat().st_mtime_ns
    assert main([*words[1:], "--device", "cpu"]) == 0
    assert list((tmp_path / "results").rglob("*.json")) == [path] and path.stat().st_mtime_ns == before
    spoil_weight(own_blip)
    capsys.readouterr()
    assert main([*words[1:], "--device", "cpu"]) == 2
    assert f"not {digest}" in capsys.readouterr().err
