"""Where something failed is told by the user's own code, wherever the error was raised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import METHODS
from mmulbench.failure import KEPT, OPEN, Frame, frames_of, located
from mmulbench.seeds import torch_seeded

PLUGIN = '''
import torch
from mmulbench import METHODS, Method


@METHODS.register("mine")
class Mine(Method):
    """Fails inside of torch."""

    def unlearn(self, problem):
        return self.loss(problem)

    def loss(self, problem):
        return torch.zeros(2) @ torch.zeros(3)  # does not fit
'''


def caught(work, *given):
    with pytest.raises(Exception) as found:
        work(*given)
    return found.value


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "methods").mkdir()
    file = tmp_path / "methods" / "mine.py"
    file.write_text(PLUGIN)
    load_plugins([file])
    return METHODS.get("mine")()


def test_the_last_lines_of_a_plug_in_are_kept_and_not_those_of_torch(mine):
    frames = [str(one) for one in frames_of(caught(mine.unlearn, None)) if "test_failure" not in one.file]
    assert frames == [
        "methods/mine.py:11 in unlearn: return self.loss(problem)",
        "methods/mine.py:14 in loss: return torch.zeros(2) @ torch.zeros(3)  # does not fit",
    ]


def test_the_line_of_an_error_names_the_place(mine):
    assert located(caught(mine.unlearn, None)).endswith("(methods/mine.py:14 in loss)")


def test_a_file_elsewhere_is_named_by_its_whole_path(mine, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert frames_of(caught(mine.unlearn, None))[-1].file == f"{tmp_path}/methods/mine.py"


def test_where_the_current_folder_is_gone_the_place_is_still_told(mine, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert frames_of(caught(mine.unlearn, None))[-1].file == f"{tmp_path}/methods/mine.py"
    os.chdir(tmp_path)


def run(source: str, module: str, folder: Path) -> BaseException:
    """The error of a file that runs as a module of this name."""
    file = folder / f"{module.rpartition('.')[2]}.py"
    file.write_text(source)
    code = compile(source, str(file), "exec")
    try:
        exec(code, {"__name__": module})
    except Exception as error:
        return error.with_traceback(error.__traceback__.tb_next)  # without this file
    raise AssertionError("it did not fail")


def test_files_of_open_rooms_count_where_nothing_of_the_user_was_reached(tmp_path):
    error = run("x = 1\nprint(y)\n", "mmulbench.methods.added", tmp_path)
    assert [one.source for one in frames_of(error)] == ["print(y)"]
    assert located(error, OPEN).endswith("added.py:2 in <module>)")


def test_the_engine_counts_where_nothing_else_does_unless_that_is_too_far(tmp_path):
    error = run("print(y)\n", "mmulbench.core.added", tmp_path)
    assert [one.line for one in frames_of(error)] == [1]
    assert frames_of(error, OPEN) == []
    assert located(error, OPEN) == "NameError: name 'y' is not defined"


def test_a_library_never_counts():
    error = caught(torch.zeros(2).view, 3)
    assert located(error.with_traceback(None)).startswith("RuntimeError: shape")
    with pytest.raises(ValueError, match="negative") as found, torch_seeded(0, "x"):
        raise ValueError("negative")
    assert frames_of(found.value)[-1].file.endswith("test_failure.py")


def test_what_pip_installed_into_a_folder_of_its_own_is_a_library(tmp_path, monkeypatch):
    before = frames_of(run("print(y)\n", "packaged", tmp_path))
    assert [one.source for one in before] == ["print(y)"]
    (tmp_path / "packaged-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    after = frames_of(run("print(y)\n", "packaged", tmp_path))
    assert "print(y)" not in [one.source for one in after]


def test_a_long_way_is_cut_to_its_end(tmp_path):
    source = "def down(n):\n    return 1 / 0 if n == 0 else down(n - 1)\ndown(20)\n"
    frames = frames_of(run(source, "own", tmp_path))
    assert len(frames) == KEPT and {one.line for one in frames} == {2}


def test_a_place_without_source_is_file_line_and_function():
    assert str(Frame(file="a.py", line=3, function="f")) == "a.py:3 in f"
