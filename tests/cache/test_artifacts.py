from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from forks import FORKS
from nodes import wait_for

from mmulbench.cache import artifacts
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.entry import Artifact
from mmulbench.cache.tensor_files import save_tensors
from mmulbench.errors import MmulbenchError

INPUTS: dict[str, Any] = {"seed": 3, "recipe": {"lr": 0.1, "layers": [1, 2]}}
WAIT_SECONDS = 120


class Builder:
    """Builds the same artifact each time and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Artifact:
        self.calls += 1
        return Artifact({"a": torch.arange(1000.0) / 3}, {"seconds": 0.1, "shape": (1, 2)})


def fill(root: Path) -> Path:
    """Stores one entry and returns its folder."""
    ArtifactCache(root).get_or_build("features", INPUTS, Builder())
    (folder,) = (root / "features").iterdir()
    return folder


def test_builds_once_then_loads_the_same_bits(tmp_path):
    build = Builder()
    cache = ArtifactCache(tmp_path, pytest.fail)
    fresh = cache.get_or_build("features", INPUTS, build)
    cached = ArtifactCache(tmp_path, pytest.fail).get_or_build(
        "features", dict(reversed(INPUTS.items())), build
    )
    assert build.calls == 1
    assert torch.equal(fresh.tensors["a"], torch.arange(1000.0) / 3)
    assert torch.equal(fresh.tensors["a"], cached.tensors["a"])
    assert fresh.info == cached.info == {"seconds": 0.1, "shape": [1, 2]}


def test_valid_entry_loads_without_waiting_for_its_lock(tmp_path):
    folder = fill(tmp_path)
    cache = ArtifactCache(tmp_path, pytest.fail)
    with cache.lock(f"features-{folder.name}"):
        assert cache.get_or_build("features", INPUTS, pytest.fail).info["seconds"] == 0.1


def test_other_inputs_and_other_kinds_are_other_entries(tmp_path):
    build = Builder()
    cache = ArtifactCache(tmp_path)
    for kind, inputs in (("features", INPUTS), ("features", {**INPUTS, "seed": 4}), ("original", INPUTS)):
        cache.get_or_build(kind, inputs, build)
    assert build.calls == 3


def test_entry_says_what_it_is(tmp_path):
    record = json.loads((fill(tmp_path) / "artifact.json").read_text())
    assert record["kind"] == "features"
    assert record["inputs"] == INPUTS
    assert record["info"]["seconds"] == 0.1
    assert record["size"] == (fill(tmp_path) / "tensors.safetensors").stat().st_size
    assert {"sha256", "created", "mmulbench"} <= record.keys()


def test_writing_to_a_loaded_tensor_does_not_reach_the_cache(tmp_path):
    cache = ArtifactCache(tmp_path, pytest.fail)
    cache.get_or_build("features", INPUTS, Builder()).tensors["a"].fill_(7)
    assert cache.get_or_build("features", INPUTS, pytest.fail).tensors["a"][1] == torch.tensor(1.0) / 3


def test_shared_transposed_and_odd_tensors_survive(tmp_path):
    base = torch.arange(6.0).reshape(2, 3)
    tensors = {
        "tied": base,
        "tied_too": base,
        "transposed": base.T,
        "scalar": torch.tensor(5),
        "empty": torch.empty(0, 4),
        "half": base.bfloat16().requires_grad_(),
        "mask": base > 2,
    }
    loaded = ArtifactCache(tmp_path).get_or_build("odd", {}, lambda: Artifact(tensors, {})).tensors
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor), name


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flip_last_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def edit_cost(path: Path) -> None:
    path.write_text(path.read_text().replace("0.1", "0.2"))


@pytest.mark.parametrize(
    ("file", "damage", "reason"),
    [
        ("tensors.safetensors", cut, "has 4062 bytes instead of 4072"),
        ("tensors.safetensors", flip_last_bit, "the checksum of tensors.safetensors is wrong"),
        ("tensors.safetensors", Path.unlink, "tensors.safetensors is missing"),
        ("artifact.json", Path.unlink, "artifact.json is missing"),
        ("artifact.json", cut, "artifact.json is not valid JSON"),
        ("artifact.json", lambda path: path.write_text("{NaN"), "artifact.json is not valid JSON"),
        ("artifact.json", lambda path: path.write_text('{"a": NaN}'), "artifact.json is not valid JSON"),
        ("artifact.json", lambda path: path.write_text("[]"), "artifact.json was altered"),
        ("artifact.json", edit_cost, "artifact.json was altered"),
    ],
)
def test_damaged_entry_is_reported_and_rebuilt(tmp_path, file, damage, reason):
    folder = fill(tmp_path)
    damage(folder / file)
    lines, build = [], Builder()
    rebuilt = ArtifactCache(tmp_path, lines.append).get_or_build("features", INPUTS, build)
    assert build.calls == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"cache entry {folder} is damaged (")
    assert lines[0].endswith(f"{reason}): rebuilding")
    assert torch.equal(rebuilt.tensors["a"], torch.arange(1000.0) / 3)
    ArtifactCache(tmp_path, pytest.fail).get_or_build("features", INPUTS, pytest.fail)


def test_entry_of_other_inputs_under_this_key_is_not_taken(tmp_path):
    folder = fill(tmp_path)
    cache = ArtifactCache(tmp_path)
    cache.get_or_build("features", {"seed": 4}, Builder())
    (other,) = (path for path in (tmp_path / "features").iterdir() if path != folder)
    for path in other.iterdir():
        path.replace(folder / path.name)
    lines, build = [], Builder()
    ArtifactCache(tmp_path, lines.append).get_or_build("features", INPUTS, build)
    assert build.calls == 1
    assert "describes other inputs" in lines[0]


def test_failed_build_passes_on_and_leaves_nothing(tmp_path):
    def fail() -> Artifact:
        raise OSError("the builder's own")

    cache = ArtifactCache(tmp_path)
    with pytest.raises(OSError, match="the builder's own"):
        cache.get_or_build("features", INPUTS, fail)
    assert list((tmp_path / "features").iterdir()) == []
    with pytest.raises(TypeError):
        cache.get_or_build("features", INPUTS, lambda: Artifact({}, {"not": object()}))
    assert list((tmp_path / "features").iterdir()) == []
    cache.get_or_build("features", INPUTS, Builder())


def test_damaged_entry_can_still_be_in_use(tmp_path):
    held = ArtifactCache(tmp_path).get_or_build("features", INPUTS, Builder()).tensors["a"]
    folder = fill(tmp_path)
    (folder / "artifact.json").unlink()
    fill(tmp_path)
    assert torch.equal(held, torch.arange(1000.0) / 3)


# Real processes from here on: the targets must be importable.


def take_part(root: Path, name: str) -> None:
    def report(line: str) -> None:
        (root / "waiting").write_text(line)

    def build() -> Artifact:
        (root / f"{name}.built").touch()
        wait_for(root / "waiting")
        return Builder()()

    artifact = ArtifactCache(root, report).get_or_build("features", INPUTS, build)
    (root / f"{name}.sum").write_text(repr(artifact.tensors["a"].sum().item()))


def test_of_two_processes_one_builds_and_the_other_waits(tmp_path):
    children = [FORKS.Process(target=take_part, args=(tmp_path, name)) for name in ("one", "two")]
    for child in children:
        child.start()
    for child in children:
        child.join(WAIT_SECONDS)
    assert [child.exitcode for child in children] == [0, 0]
    assert len(list(tmp_path.glob("*.built"))) == 1
    line = r"waiting for process \d+ on \S+, building features since 20\d\d-.+"
    assert re.fullmatch(line, (tmp_path / "waiting").read_text())
    assert (tmp_path / "one.sum").read_text() == (tmp_path / "two.sum").read_text()


def test_of_two_threads_one_builds(tmp_path):
    waiting, build = threading.Event(), Builder()

    def slow() -> Artifact:
        assert waiting.wait(WAIT_SECONDS)
        return build()

    cache = ArtifactCache(tmp_path, lambda line: waiting.set())
    threads = [threading.Thread(target=cache.get_or_build, args=("features", INPUTS, slow)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert build.calls == 1


def build_for_ever(root: Path) -> None:
    def build() -> Artifact:
        (root / "started").touch()
        time.sleep(2 * WAIT_SECONDS)
        raise AssertionError("was to be killed")

    ArtifactCache(root).get_or_build("features", INPUTS, build)


class Bomb(dict):
    """Kills the process when it is turned into JSON: between the two files of an entry."""

    def items(self):
        os.kill(os.getpid(), signal.SIGKILL)


def die_while_storing(root: Path) -> None:
    ArtifactCache(root).get_or_build("features", INPUTS, lambda: Artifact(Builder()().tensors, Bomb(a=1)))


@pytest.mark.parametrize("target", [build_for_ever, die_while_storing])
def test_killed_builder_frees_the_lock_and_its_leftovers_are_cleared(tmp_path, target):
    child = FORKS.Process(target=target, args=(tmp_path,))
    child.start()
    if target is build_for_ever:
        wait_for(tmp_path / "started")
        child.kill()
    child.join(WAIT_SECONDS)
    assert child.exitcode == -signal.SIGKILL
    (leftover,) = (tmp_path / "features").iterdir()
    assert leftover.suffix == ".tmp"
    assert (leftover / "tensors.safetensors").exists() == (target is die_while_storing)
    (leftover / "stray").touch()
    build = Builder()
    ArtifactCache(tmp_path, pytest.fail).get_or_build("features", INPUTS, build)
    assert build.calls == 1
    (folder,) = (tmp_path / "features").iterdir()
    assert folder.name == leftover.name.partition(".")[0]
    assert sorted(path.name for path in folder.iterdir()) == ["artifact.json", "tensors.safetensors"]


def store_with_limit(root: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    try:
        ArtifactCache(root).get_or_build("features", INPUTS, Builder())
    except MmulbenchError as error:
        (root / "message").write_text(str(error))


def test_of_an_entry_that_replaces_another_one_is_there_whenever_a_kill_comes(tmp_path, monkeypatch):
    cache, reports = ArtifactCache(tmp_path), []

    def stored(number):
        return Artifact({"a": torch.tensor([float(number)])}, {})

    def found():
        artifact = ArtifactCache(tmp_path, reports.append).find("unfinished", INPUTS)
        return None if artifact is None else artifact.tensors["a"].item()

    seen = []

    def looking_before(call):
        def watched(*args, **options):
            seen.append(found())
            return call(*args, **options)

        return watched

    for name in ("rename", "replace", "rmdir", "unlink", "mkdir"):
        monkeypatch.setattr(os, name, looking_before(getattr(os, name)))
    for number in (1, 2, 3):
        cache.put("unfinished", INPUTS, stored(number))
        seen.append(number)
        assert found() == number
    assert reports == []
    first = seen.index(1)
    assert seen[:first] == [None] * first
    assert None not in seen[first:] and seen[first:] == sorted(seen[first:])


def test_what_is_always_taken_away_ends_in_a_line(tmp_path, monkeypatch):
    taken, most = [], 99

    def taken_away(tensors, path):
        save_tensors(tensors, path)
        if len(taken) < most:
            taken.append(path)
            shutil.rmtree(path.parent)

    monkeypatch.setattr(artifacts, "save_tensors", taken_away)
    cache, artifact = ArtifactCache(tmp_path), Artifact({"a": torch.tensor([1.0])}, {})
    with pytest.raises(MmulbenchError, match=f"cannot write .*taken away {artifacts.TRIES} times") as caught:
        cache.put("unfinished", INPUTS, artifact)
    assert "\n" not in str(caught.value) and len(set(taken)) == artifacts.TRIES
    most = artifacts.TRIES + 5
    cache.put("unfinished", INPUTS, artifact)
    assert len(taken) == most and cache.find("unfinished", INPUTS) is not None


def test_discarding_takes_what_a_killed_process_was_storing_along(tmp_path):
    cache = ArtifactCache(tmp_path)
    folder = fill(tmp_path)
    staging = folder.with_name(f"{folder.name}.tmp")
    staging.mkdir()
    (staging / "tensors.safetensors").write_bytes(b"half of it")
    cache.discard("features", INPUTS)
    assert list((tmp_path / "features").iterdir()) == []
    cache.discard("features", INPUTS)  # nothing is there


def test_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    child = FORKS.Process(target=store_with_limit, args=(tmp_path,))
    child.start()
    child.join(WAIT_SECONDS)
    message = (tmp_path / "message").read_text()
    assert message.startswith(f"cannot write {tmp_path / 'features'}")
    assert message.endswith(": File too large; free space or choose another folder with --cache-dir")
    assert list((tmp_path / "features").iterdir()) == []


@pytest.mark.parametrize("root", ["file", "/proc/mmulbench"])
def test_unwritable_folder_is_one_line_before_anything_is_built(tmp_path, root):
    (tmp_path / "file").touch()
    with pytest.raises(MmulbenchError, match=r"^cannot .*; choose another folder with --cache-dir$"):
        ArtifactCache(tmp_path / root).get_or_build("features", INPUTS, pytest.fail)


def test_lock_is_exclusive_and_says_whom_it_waits_for(tmp_path):
    lines: list[str] = []
    order: list[str] = []
    cache = ArtifactCache(tmp_path, lines.append)

    def second() -> None:
        with cache.lock("run-1", "running abc"):
            order.append("second")

    thread = threading.Thread(target=second)
    with cache.lock("run-1"), cache.lock("run-2"):
        thread.start()
        while not lines:
            time.sleep(0.01)
        order.append("first")
    thread.join(WAIT_SECONDS)
    assert order == ["first", "second"]
    (line,) = lines
    assert re.fullmatch(rf"waiting for process {os.getpid()} on \S+, running abc since 20\d\d-.+", line)
