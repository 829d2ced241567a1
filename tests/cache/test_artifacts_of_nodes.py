"""Several nodes that make one entry: what one of them lost goes on, and none ends another."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from nodes import LEASE, PATIENCE, kill, start, wait_for

from mmulbench import leases
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.entry import Artifact

INPUTS: dict[str, Any] = {"seed": 3}


def build_when_told(root: Path, name: str, *, loses: bool = False) -> None:
    """Make an entry; go on when told to, and where it is to lose the lease, when it knows that it has."""
    held: list[leases.Lease] = []

    class Kept(leases.Lease):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            held.append(self)

    leases.Lease = Kept  # type: ignore[misc]  # in this process alone

    def build() -> Artifact:
        (root / f"{name}.builds").touch()
        wait_for(root / f"{name}.go")
        while loses and not any(lease.was_lost for lease in held):
            time.sleep(0.01)
        return Artifact({"a": torch.arange(1000.0)}, {})

    lines: list[str] = []
    found = ArtifactCache(root, lines.append).get_or_build("features", INPUTS, build)
    (root / f"{name}.sum").write_text(repr(found.tensors["a"].sum().item()))
    (root / f"{name}.said").write_text("\n".join(lines))


@pytest.mark.slow
def test_without_flock_another_node_goes_on_after_a_kill(tmp_path):
    first = start("node-a", build_when_told, tmp_path, "first")
    wait_for(tmp_path / "first.builds")
    kill(first)
    (tmp_path / "second.go").touch()
    second = start("node-b", build_when_told, tmp_path, "second", exchange=False)
    wait_for(tmp_path / "second.said")
    second.join(PATIENCE)
    assert f"waiting for process {first.pid} on node-a, building f" in (tmp_path / "second.said").read_text()
    (folder,) = (tmp_path / "features").iterdir()
    assert (folder / "artifact.json").exists()
    assert list((tmp_path / "locks").iterdir()) == []


@pytest.mark.slow
def test_two_makers_that_both_think_the_work_theirs_do_it_twice_and_both_end_well(tmp_path):
    first = start("node-a", partial(build_when_told, loses=True), tmp_path, "first")
    wait_for(tmp_path / "first.builds")
    assert first.pid is not None
    os.kill(first.pid, signal.SIGSTOP)
    second = start("node-b", build_when_told, tmp_path, "second", exchange=False)
    wait_for(tmp_path / "second.builds")
    time.sleep(LEASE)  # the folder of the first has not changed for so long either
    os.kill(first.pid, signal.SIGCONT)
    (tmp_path / "first.go").touch()
    wait_for(tmp_path / "first.sum")
    (tmp_path / "second.go").touch()
    for child in (first, second):
        child.join(PATIENCE)
    assert (first.exitcode, second.exitcode) == (0, 0)
    assert (tmp_path / "first.sum").read_text() == (tmp_path / "second.sum").read_text()
    (folder,) = (tmp_path / "features").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["artifact.json", "tensors.safetensors"]
    assert "another is building features as well" in (tmp_path / "first.said").read_text()


def keep_checkpoints(root: Path, name: str) -> None:
    cache = ArtifactCache(root, lambda line: None)
    for number in range(40):
        cache.put("unfinished", INPUTS, Artifact({"a": torch.tensor([float(number)])}, {"name": name}))
        cache.find("unfinished", INPUTS)


@pytest.mark.slow
def test_checkpoints_of_two_makers_do_not_break_each_other(tmp_path):
    makers = [start(f"node-{name}", keep_checkpoints, tmp_path, name) for name in "abcd"]
    for maker in makers:
        maker.join(PATIENCE)
    assert [maker.exitcode for maker in makers] == [0] * 4
    # What one of them could not remove is cleared by the next, once its maker counts as gone.
    assert len([path for path in (tmp_path / "unfinished").iterdir() if "." not in path.name]) == 1
    found = ArtifactCache(tmp_path).find("unfinished", INPUTS)
    assert found is not None and found.tensors["a"].item() == 39
