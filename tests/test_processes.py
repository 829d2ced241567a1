"""What the processes of a run exchange, and who of them builds what the cache lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from teams import Team

from mmulbench import processes
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.entry import Artifact
from mmulbench.errors import Diverged, MmulbenchError


@pytest.fixture(scope="module")
def two():
    with Team(2) as team:
        yield team


def exchanged() -> list[object]:
    rank = processes.rank()
    done = []
    found = processes.first_does(lambda: done.append(rank) or "result of the first")
    return [
        rank,
        processes.count(),
        processes.from_first(f"word of {rank}"),
        processes.total(rank + 1.0),
        found,
        done,
    ]


def test_all_hear_the_first_and_sums_are_of_all(two):
    common = [2, "word of 0", 3.0, "result of the first"]
    assert two(exchanged) == [[0, *common, [0]], [1, *common, []]]


def test_a_single_process_is_the_first_and_the_only_one():
    assert exchanged() == [0, 1, "word of 0", 1.0, "result of the first", [0]]
    processes.demand_same("anything", "words")
    processes.demand_all_failed("it failed")


def refused() -> str:
    def work() -> None:
        raise MmulbenchError("the disk is full")

    with pytest.raises(MmulbenchError) as caught:
        processes.first_does(work)
    return str(caught.value)


def test_an_error_of_the_first_is_everybodys(two):
    assert two(refused) == ["the disk is full", "the disk is full"]


def compared() -> list[str]:
    processes.demand_same("one", "words")
    with pytest.raises(RuntimeError) as caught:
        processes.demand_same(str(processes.rank()), "numbers")
    return [str(caught.value)]


def test_what_has_to_agree_is_compared_in_all(two):
    (first,), (second,) = two(compared)
    assert first == second
    assert first.startswith("the processes came to different numbers")


def cached(folder: Path, together: bool) -> tuple[int, list[float], bool]:
    """How often an artifact was built here when asked for twice, and what was found."""
    cache, built = ArtifactCache(folder), []

    def build() -> Artifact:
        built.append(processes.rank())
        return Artifact({"x": torch.tensor([1.0 + processes.rank()])}, {})

    found = [cache.get_or_build("things", {"a": 1}, build, together=together) for _ in range(2)]
    return len(built), found[1].tensors["x"].tolist(), processes.is_first()


@pytest.mark.parametrize("together", [True, False])
def test_what_is_missing_is_built_once_and_is_the_firsts(two, together, tmp_path):
    assert two(cached, tmp_path, together) == [(1, [1.0], True), (int(together), [1.0], False)]
    assert len(list(tmp_path.glob("things/*/artifact.json"))) == 1


def diverging(folder: Path) -> str:
    def build() -> Artifact:
        raise Diverged("too far")

    with pytest.raises(Diverged) as caught:
        ArtifactCache(folder).get_or_build("things", {"a": 1}, build)
    return f"{caught.value} {processes.from_first('still together')}"


def test_a_building_that_diverges_does_so_in_all_and_they_go_on(two, tmp_path):
    assert two(diverging, tmp_path) == ["too far still together"] * 2
    assert not list(tmp_path.glob("things/*"))
