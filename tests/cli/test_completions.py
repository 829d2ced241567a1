"""What the shell is told when a key is pressed: registered names, and quickly."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mmulbench.cli import completions
from mmulbench.core.registry import BACKBONES, METHODS

ASK = """
import sys
from mmulbench.cli.app import main
sys.argv[0] = "mmulbench"
try:
    main([])
finally:
    heavy = {"torch", "numpy", "pandas"} & set(sys.modules)
    assert not heavy, heavy
"""


def asked(line: str, shell: str = "bash") -> list[str]:
    """What a shell is answered whose line so far is this one."""
    words = line.split(" ")
    how = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    environment = {**os.environ, "_MMULBENCH_COMPLETE": f"complete_{shell}", **how[shell]}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("mmulbench ru", ["run"]),
        ("mmulbench run -m mm", ["mmul"]),
        ("mmulbench run -m al", ["all"]),
        ("mmulbench run -m mmul,scr", ["mmul,scrub"]),
        ("mmulbench run --task emoji_", ["emoji_nlvr"]),
        ("mmulbench run -b gtnn:g", ["gtnn:gcn", "gtnn:gat"]),
        ("mmulbench describe backbone vi", ["vilt"]),
        ("mmulbench describe metric retrain", ["retrain_gap"]),
        ("mmulbench check method scr", ["scrub"]),
        ("mmulbench data info flick", ["flickr30k"]),
        ("mmulbench sweep -t emoji,flags_", ["emoji,flags_ve"]),
        ("mmulbench run --logger csv,ten", ["csv,tensorboard"]),
        ("mmulbench leaderboard --metric mia,ret", ["mia,retain", "mia,retrain_gap"]),
    ],
)
def test_names_are_completed_without_torch(line, answer):
    assert asked(line) == answer


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_what_names_mean(shell):
    (answer,) = (line for line in asked("mmulbench run -m mm", shell) if "mmul" in line)
    assert "MMUL (MultiDelete)" in answer


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_gets_a_script(shell):
    environment = {**os.environ, "_MMULBENCH_COMPLETE": f"source_{shell}"}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "_MMULBENCH_COMPLETE=complete_" in done.stdout


def test_every_name_and_variant_is_offered():
    assert [name for name, _ in completions.methods("")] == [*METHODS.names(), "all"]
    assert [name for name, _ in completions.methods("mmul,")] == [
        f"mmul,{name}" for name in [*METHODS.names(), "all"] if name != "mmul"
    ]
    variants = [f"{name}:{one}" for name in BACKBONES.names() for one in BACKBONES.get(name).variants]
    found = [name for name, _ in completions.backbone("")]
    assert [name for name in found if ":" in name] == variants
    assert all(meaning for _, meaning in completions.task(""))
