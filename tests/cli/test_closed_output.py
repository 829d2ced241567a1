"""Who reads the first line alone, or has no room for any, still gets all the records."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from helpers import ONE_EPOCH, TINY

RUN = [
    "run",
    "-m",
    "gradient_ascent",
    "-m",
    "finetune",
    *TINY,
    *ONE_EPOCH,
    "-b",
    "albef:tiny",
    "--no-reference",
]


def shell(bench, words, redirected):
    command = f'"{sys.executable}" -m mmulbench "$@" {redirected}; echo "code ${{PIPESTATUS[0]}}" >&2'
    return subprocess.run(
        ["bash", "-c", command, "-", *words],
        cwd=bench.root,
        env={**os.environ, **bench.environment},
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("redirected", "options"), [("| true", []), ("| true", ["--quiet"]), (">&-", [])])
def test_runs_go_on_when_nobody_reads(bench, redirected, options):
    done = shell(bench, [*RUN, *options], redirected)
    assert done.stderr.splitlines()[-1] == "code 0", done.stderr
    assert not [line for line in done.stderr.splitlines() if "rror" in line or "pipe" in line]
    assert {path.parent.name for path in bench.results.rglob("*.json")} == {"gradient_ascent", "finetune"}


@pytest.mark.slow
def test_runs_go_on_when_there_is_no_room_for_what_they_say(bench):
    done = shell(bench, [*RUN, "--json"], "> /dev/full")
    *_, line, code = done.stderr.splitlines()
    assert (line, code) == ("mmulbench: cannot print: No space left on device", "code 1")
    assert {path.parent.name for path in bench.results.rglob("*.json")} == {"gradient_ascent", "finetune"}


@pytest.mark.slow
@pytest.mark.parametrize("words", [["schema"], ["leaderboard"], ["list", "metrics"]])
def test_other_commands_end_quietly(bench, words):
    done = shell(bench, words, "| true")
    assert done.stderr == "code 0\n"
