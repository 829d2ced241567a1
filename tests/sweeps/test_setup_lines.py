"""Shell lines before a step: what bash has against them, and that a line which fails ends the task."""

from __future__ import annotations

import subprocess

import pytest

from mmulbench.sweeps.setup_lines import fault_of_lines, guarded_lines


def run(text: str) -> subprocess.CompletedProcess[str]:
    """Runs the lines and then says what they have set."""
    script = "\n".join([*guarded_lines(text), 'echo "then $A"'])
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("text", ["export A=1", "# nothing\n\nA=1", "if true; then\n  A=1\nfi", "A=\\\n1"])
def test_what_lines_set_is_there_afterwards(text):
    done = run(text)
    assert (done.stdout, done.stderr, done.returncode) == ("then 1\n", "", 0)


def test_a_function_that_fails_inside_is_judged_by_what_it_returns():
    assert run("load() { false; A=2; }\nload").stdout == "then 2\n"


@pytest.mark.parametrize("text", ["false\nA=1", "A=1\nfalse", "for A in 1; do\n  false\ndone"])
def test_a_line_that_fails_ends_the_task_and_is_named(text):
    done = run(text)
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("setup failed: ") and "false" in done.stderr


def test_no_lines_are_none():
    assert guarded_lines("") == guarded_lines(" \n") == []


def test_bash_says_what_it_cannot_read():
    assert fault_of_lines("module load cuda\nexport A='1'") is None
    fault = fault_of_lines("export A='1")
    assert fault is not None and "unexpected EOF" in fault and "\n" not in fault


def test_without_bash_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fault_of_lines("export A='1") is None
