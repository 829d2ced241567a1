"""Options that all runs of a sweep share: with absolute paths, and the folder where they hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.options import enter_folder, with_absolute_paths


def test_folders_and_files_get_absolute_paths_and_nothing_else_changes(tmp_path, monkeypatch):
    options = RunOptions(device="cuda:1", results_dir=Path("out"), plugins=(Path("a/b.py"),), shadows=3)
    monkeypatch.chdir(tmp_path)
    absolute = with_absolute_paths(options)
    assert absolute.results_dir == tmp_path / "out"
    assert absolute.plugins == (tmp_path / "a" / "b.py",)
    assert all(value.is_absolute() for _, value in absolute if isinstance(value, Path))
    assert (absolute.device, absolute.shadows, absolute.overwrite) == ("cuda:1", 3, "failed")
    assert with_absolute_paths(absolute) == absolute


def test_a_worker_goes_where_the_sweep_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(Path.cwd())
    enter_folder(str(tmp_path))
    assert Path.cwd() == tmp_path.resolve()
    with pytest.raises(MmulbenchError, match=r"^cannot enter .*nowhere"):
        enter_folder(str(tmp_path / "nowhere"))
