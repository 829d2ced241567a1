"""Checkpoints on the command line."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from checkpoint_tools import bare_pickle, load, pickled, spoil_weight
from fine_tuned import fine_tuned, fresh, opened

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


@pytest.fixture(scope="module")
def knowing(tmp_path_factory, workspace) -> Path:
    """A BLIP that was trained on all pairs of the task, before it is given as a backbone."""
    root = tmp_path_factory.mktemp("knowing")
    return fine_tuned(opened(fresh("blip", root / "blip-base"), workspace), root / "blip-tuned")


@pytest.mark.slow
def test_a_checkpoint_that_has_seen_the_forget_set(knowing, tmp_path, monkeypatch, capsys):
    """No command makes a record, a row or a verdict of it, unless nobody asks for a reference."""
    monkeypatch.chdir(tmp_path)
    what = ["-m", "finetune", "-t", "emoji", "-b", f"blip:{knowing}", "--device", "cpu"]
    what += ["--set", "task.limit=200", "--set", "recipe.epochs=1", "--forget-size", "24"]
    one_epoch = ["--set", "epochs=1"]

    def refused(*words: str) -> None:
        assert main([*words]) == 1
        out, err = capsys.readouterr()
        last = err.splitlines()[-1]
        assert last.startswith("mmulbench: blip:blip-tuned@") and "is no reference" in last
        assert out == "" and not list(tmp_path.glob("results/**/*.json"))

    refused("run", *what, *one_epoch)
    refused("run", *what, *one_epoch, "--shadows", "7")

    assert main(["sweep", *what, "--set", "finetune.epochs=1", "--executor", "debug", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["counts"] == {"failed": 3}
    assert main(["leaderboard"]) == 0
    assert "blip" not in capsys.readouterr().out

    assert main(["run", *what, *one_epoch, "--no-reference"]) == 0
    assert "finetune cannot be judged" in capsys.readouterr().out.replace("\n", " ")
