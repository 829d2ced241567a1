"""Words with signs that bash parts them at: as bash says them, and at a real bash's prompt."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mmulbench
from mmulbench.cli.bash_words import put_together

pty = pytest.importorskip("pty", reason="there are no terminals here")

ROOT = Path(mmulbench.__file__).parent.parent

PROGRAM = f"""#!{sys.executable}
import sys
from mmulbench.cli.app import main
sys.argv[0] = "mmulbench"
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("words", "typed", "left"),
    [
        ("run -b albef : ti", "run -b albef:ti", "albef:"),
        ("run -b albef :", "run -b albef:", "albef:"),
        ("run -b al", "run -b al", ""),
        ("run --task = emo", "run --task=emo", ""),
        ("run --task =", "run --task=", ""),
        ("run --backbone = albef : ti", "run --backbone=albef:ti", "albef:"),
        ("run --set a.b = 3 -b clip : ti", "run --set a.b=3 -b clip:ti", "clip:"),
        ("run -b clip : org/name@main : x", "run -b clip:org/name@main:x", "clip:org/name@main:"),
        ("run 'albef:ti", "run 'albef:ti", ""),
    ],
)
def test_words_are_put_together(words, typed, left):
    parted = words.split()
    found, place, kept = put_together(parted, len(parted) - 1)
    assert (" ".join(found), place, kept) == (typed, len(typed.split()) - 1, left)


def test_what_stands_behind_the_cursor_is_left_alone():
    words = ["run", "-b", "albef", ":", "ti", "--task", "=", "emoji"]
    assert put_together(words, 4) == (["run", "-b", "albef:ti", "--task", "=", "emoji"], 2, "albef:")
    assert put_together(words, 2) == (["run", "-b", "albef", ":", "ti", "--task", "=", "emoji"], 2, "")


def test_a_new_word_is_no_part_of_the_one_before():
    assert put_together(["run", "-b", "albef", ":", ""], 4) == (["run", "-b", "albef:", ""], 3, "")
    assert put_together(["run"], 1) == (["run"], 1, "")


class Prompt:
    """A bash at a terminal, which has learnt the completion as users have it installed."""

    def __init__(self, folder: Path) -> None:
        program, self._out, self._entered = folder / "mmulbench", folder / "out", 0
        program.write_text(PROGRAM)
        program.chmod(0o755)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        asked = {**environment, "_MMULBENCH_COMPLETE": "source_bash"}
        script = subprocess.run([program], env=asked, capture_output=True, text=True, check=True).stdout
        keep = f'bind -x \'"\\C-xp": printf "%s\\n" "$READLINE_LINE" >> {self._out}\''
        (folder / "rc").write_text(
            f"{script}\nPS1='ready \\#>'\nbind 'set enable-bracketed-paste off'\n{keep}\n"
        )
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            words = ["bash", "--noprofile", "--rcfile", str(folder / "rc"), "-i"]
            os.execvpe("bash", words, {**environment, "TERM": "dumb"})
        self._wait_for_prompt()

    def completed(self, line: str) -> str:
        """The line after the tabulator."""
        before = len(self._lines())
        os.write(self._terminal, f"{line}\t\x18p\x15".encode())
        self._wait(lambda text: len(self._lines()) > before)
        return self._lines()[-1]

    def enter(self, line: str) -> None:
        """Have a line executed."""
        os.write(self._terminal, f"{line}\n".encode())
        self._entered += 1
        self._wait_for_prompt()

    def end(self) -> None:
        os.close(self._terminal)
        os.waitpid(self.pid, 0)

    def _lines(self) -> list[str]:
        return self._out.read_text().splitlines() if self._out.exists() else []

    def _wait_for_prompt(self) -> None:
        """Wait for the prompt after the last line: one of before may be drawn anew at any time."""
        self._wait(lambda text: f"ready {self._entered + 1}>" in text)

    def _wait(self, reached) -> None:
        text, deadline = "", time.monotonic() + 240
        while not reached(text):
            assert time.monotonic() < deadline, text
            if select.select([self._terminal], [], [], 0.05)[0]:
                text += os.read(self._terminal, 4096).decode(errors="replace")


@pytest.fixture(scope="module")
def prompt(tmp_path_factory) -> Iterator[Prompt]:
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    found = Prompt(tmp_path_factory.mktemp("prompt"))
    yield found
    found.end()


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("mmulbench run -b albef:ti", "mmulbench run -b albef:tiny "),
        ("mmulbench run --backbone=gtnn:gc", "mmulbench run --backbone=gtnn:gcn "),
        ("mmulbench run --set recipe.epochs=3 --task=emoji_n", "{before}emoji_nlvr "),
        ("mmulbench run -b 'albef:ti", "mmulbench run -b 'albef:tiny' "),
    ],
)
def test_a_real_bash_completes_them(line, completed, prompt):
    assert prompt.completed(line) == completed.format(before=line.removesuffix("emoji_n"))


def test_a_bash_that_parts_nothing_is_answered_with_the_whole(prompt):
    prompt.enter("before=$COMP_WORDBREAKS COMP_WORDBREAKS=${COMP_WORDBREAKS//:}")
    assert prompt.completed("mmulbench run -b albef:ti") == "mmulbench run -b albef:tiny "
    prompt.enter("COMP_WORDBREAKS=$before")
