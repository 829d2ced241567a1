"""Options that all runs of a sweep share: stored, read, and made requests of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.runs.session import Request
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.grid import Job
from mmulbench.sweeps.options import enter_folder, request_of, shared_request, stored_options

STORED = Path(__file__).parent / "stored" / "3f233fa2"


def test_options_are_read_as_they_were_stored():
    options = SweepFolder(STORED).read().options
    assert stored_options(shared_request(options)) == options


def test_folders_and_files_are_stored_as_absolute_paths(tmp_path, monkeypatch):
    request = Request(task="emoji", methods=("mmul",), results_dir=Path("out"), plugins=(Path("a/b.py"),))
    monkeypatch.chdir(tmp_path)
    stored = stored_options(request)
    assert stored["results_dir"] == str(tmp_path / "out")
    assert stored["plugins"] == [str(tmp_path / "a" / "b.py")]
    assert all(Path(str(stored[name])).is_absolute() for name in stored if name.endswith("_dir"))
    assert {"task", "methods", "seeds", "backbone", "forget_size", "settings"}.isdisjoint(stored)
    assert json.loads(json.dumps(stored)) == stored
    monkeypatch.chdir("/")
    assert shared_request(stored).results_dir == tmp_path / "out"


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"shadows": "many"}, {"plugins": 3}])
def test_other_options_are_refused_in_one_line(wrong):
    with pytest.raises(MmulbenchError) as error:
        shared_request({**stored_options(Request(task="")), **wrong})
    assert str(error.value).startswith(f"the sweep's options cannot be used ({next(iter(wrong))}: ")
    assert "\n" not in str(error.value)


def test_a_request_has_what_is_the_runs_own_and_what_is_shared():
    job = Job(task="flags", method="npo", seed=3, backbone="clip", forget_size="5", settings=("lr=1",))
    request = request_of(job, Request(task="", device="cpu", shadows=7))
    assert (request.task, request.methods, request.seeds) == ("flags", ("npo",), (3,))
    assert (request.backbone, request.forget_size, request.settings) == ("clip", "5", ("lr=1",))
    assert (request.device, request.shadows) == ("cpu", 7)


def test_a_worker_goes_where_the_sweep_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(Path.cwd())
    enter_folder(str(tmp_path))
    assert Path.cwd() == tmp_path.resolve()
    with pytest.raises(MmulbenchError, match=r"^cannot enter .*nowhere"):
        enter_folder(str(tmp_path / "nowhere"))
