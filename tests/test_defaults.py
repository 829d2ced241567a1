"""An option comes before its environment variable, and that before the default."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mmulbench import defaults
from mmulbench.errors import UsageError
from mmulbench.records.published import OWN_STUDIES

FOLDERS = {
    "MMULBENCH_DATA": (defaults.data_dir, "data"),
    "MMULBENCH_RESULTS": (defaults.results_dir, "results"),
    "MMULBENCH_TUNED": (defaults.tuned_dir, "tuned"),
    "MMULBENCH_SWEEPS": (defaults.sweeps_dir, "sweeps"),
    "MMULBENCH_LOGGED": (defaults.logger_dir, "logged"),
}


@pytest.mark.parametrize("variable", FOLDERS)
def test_an_option_comes_first_then_the_variable_then_a_folder_here(variable, monkeypatch):
    folder, default = FOLDERS[variable]
    monkeypatch.setenv(variable, "")
    assert folder() == Path(default)
    monkeypatch.setenv(variable, "/elsewhere")
    assert folder() == Path("/elsewhere")
    assert folder(Path("here")) == Path("here")


def test_the_cache_is_the_users(monkeypatch):
    monkeypatch.delenv("MMULBENCH_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert defaults.cache_dir() == Path.home() / ".cache" / "mmulbench"
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert defaults.cache_dir() == Path("/caches/mmulbench")


def test_plug_ins_are_those_of_the_variable_and_then_those_of_the_option(monkeypatch):
    monkeypatch.setenv("MMULBENCH_PLUGINS", os.pathsep.join(["a.py", "", "b.py"]))
    assert defaults.plugin_files([Path("c.py")]) == (Path("a.py"), Path("b.py"), Path("c.py"))
    monkeypatch.delenv("MMULBENCH_PLUGINS")
    assert defaults.plugin_files() == ()


@pytest.mark.parametrize(("text", "seconds"), [("", 60.0), ("0", 0.0), ("2.5", 2.5)])
def test_seconds_between_checkpoints(text, seconds, monkeypatch):
    monkeypatch.setenv("MMULBENCH_CHECKPOINT_SECONDS", text)
    assert defaults.checkpoint_seconds() == seconds


@pytest.mark.parametrize("text", ["soon", "-1", "nan"])
def test_a_time_that_is_none_is_refused(text, monkeypatch):
    monkeypatch.setenv("MMULBENCH_CHECKPOINT_SECONDS", text)
    with pytest.raises(UsageError, match="give a number of seconds"):
        defaults.checkpoint_seconds()


def test_who_has_no_home_names_a_cache(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    for variable in ("MMULBENCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(UsageError, match="name a folder with --cache-dir"):
        defaults.cache_dir()
    assert defaults.cache_dir(Path("here")) == Path("here")
    monkeypatch.setenv("MMULBENCH_CACHE", "/elsewhere")
    assert defaults.cache_dir() == Path("/elsewhere")


def test_published_studies_are_those_that_come_with_mmulbench_unless_a_variable_names_others(monkeypatch):
    monkeypatch.setenv("MMULBENCH_STUDIES", "/elsewhere")
    assert defaults.published_studies() == Path("/elsewhere")
    monkeypatch.delenv("MMULBENCH_STUDIES")
    assert defaults.published_studies() == OWN_STUDIES
