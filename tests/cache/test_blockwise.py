"""Large tensors of the cache, block by block: resumed, verified and repaired."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import signal
import sys
import threading
from pathlib import Path

import pytest
import torch
from forks import FORKS
from safetensors.torch import load_file

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.block_layout import Blockwise, Layout
from mmulbench.cache.entry import Artifact
from mmulbench.errors import MmulbenchError
from mmulbench.progress import Progress

COUNT, WIDTH, BLOCK = 103, 50, 10
BLOCKS = 11
WAIT_SECONDS = 120


def content(rows: range) -> torch.Tensor:
    return (torch.arange(rows.start, rows.stop)[:, None] * 7 + torch.arange(WIDTH)).half()


WHOLE = content(range(COUNT))


class Source:
    """Computes blocks and remembers which."""

    def __init__(self, fail_at: int = COUNT + 1, error: BaseException | None = None) -> None:
        self.asked: list[int] = []
        self._fail_at = fail_at
        self._error = error or RuntimeError("the computation's own")

    def compute(self, rows: range) -> torch.Tensor:
        if rows.start >= self._fail_at:
            raise self._error
        self.asked.append(rows.start // BLOCK)
        return content(rows)

    def __call__(self, **changes) -> Blockwise:
        given = {"block": BLOCK, "workers": 1, "shape": (WIDTH,), "dtype": torch.float16, **changes}
        return Blockwise(name="x", count=COUNT, compute=self.compute, description="blocks", **given)


def get(root: Path, source, report=pytest.fail, **changes) -> torch.Tensor:
    return ArtifactCache(root, report).get_or_build("features", {}, lambda: source(**changes)).tensors["x"]


def entry(root: Path) -> Path:
    (folder,) = (root / "features").iterdir()
    return folder


@pytest.fixture
def stored(tmp_path) -> Path:
    """The folder of a finished entry."""
    get(tmp_path, Source())
    return entry(tmp_path)


@pytest.fixture
def interrupted(tmp_path) -> Path:
    """The staging folder of a computation that stopped with blocks 0 to 5 finished."""
    with pytest.raises(RuntimeError, match="the computation's own"):
        get(tmp_path, Source(fail_at=60))
    folder = entry(tmp_path)
    assert folder.suffix == ".tmp"
    return folder


def noted(folder: Path) -> list[int]:
    lines = (folder / "journal.jsonl").read_text().splitlines()
    return [json.loads(line)["block"] for line in lines[1:]]


def spoil(path: Path, block: int) -> None:
    layout = Layout.of(Source()())
    with path.open("r+b") as file:
        file.seek(layout.offset(block) + 3)
        file.write(b"\xff")


@pytest.mark.parametrize("workers", [1, 3])
def test_every_block_is_computed_once_and_read_back(tmp_path, workers):
    source = Source()
    assert torch.equal(get(tmp_path, source, workers=workers), WHOLE)
    assert sorted(source.asked) == list(range(BLOCKS))
    again = Source()
    assert torch.equal(get(tmp_path, again), WHOLE)
    assert again.asked == []
    assert sorted(path.name for path in entry(tmp_path).iterdir()) == ["artifact.json", "tensors.safetensors"]


def test_the_entry_is_a_safetensors_file_with_a_checksum_a_block(stored):
    assert torch.equal(load_file(stored / "tensors.safetensors")["x"], WHOLE)
    record = json.loads((stored / "artifact.json").read_text())
    expected = [hashlib.sha256(part.numpy().tobytes()).hexdigest() for part in WHOLE.split(BLOCK)]
    assert record["blocks"] == expected
    assert record["size"] == (stored / "tensors.safetensors").stat().st_size
    umask = os.umask(0)
    os.umask(umask)
    assert (stored / "tensors.safetensors").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize(
    ("dtype", "shape"), [(torch.uint8, (3, 2)), (torch.bool, (4,)), (torch.bfloat16, (1,)), (torch.int64, ())]
)
def test_other_types_and_shapes(tmp_path, dtype, shape):
    whole = (torch.randn(COUNT, *shape) * 9).to(dtype)
    source = Blockwise("y", COUNT, shape, dtype, lambda rows: whole[rows.start : rows.stop], 7, 2, "")
    found = ArtifactCache(tmp_path, pytest.fail).get_or_build("features", {}, lambda: source).tensors["y"]
    assert found.dtype == dtype and torch.equal(found, whole)


def test_no_items(tmp_path):
    source = Blockwise("y", 0, (3,), torch.float32, lambda rows: pytest.fail(str(rows)), 7, 2, "")
    found = ArtifactCache(tmp_path, pytest.fail).get_or_build("features", {}, lambda: source).tensors["y"]
    assert found.shape == (0, 3)


def test_the_tensor_is_mapped_and_its_owner_may_write_to_it(tmp_path, stored):
    found = get(tmp_path, pytest.fail)
    assert str(stored / "tensors.safetensors") in Path("/proc/self/maps").read_text()
    found.fill_(7)
    assert torch.equal(get(tmp_path, pytest.fail), WHOLE)


def test_work_ahead_is_bounded(tmp_path):
    """While block 0 is not finished, others are computed, but only so many."""
    first, release, asked = threading.Event(), threading.Event(), []

    def compute(rows: range) -> torch.Tensor:
        asked.append(rows.start)
        if rows.start == 0:
            first.set()
            assert release.wait(WAIT_SECONDS)
        return content(rows)

    source = Blockwise("x", COUNT, (WIDTH,), torch.float16, compute, 1, 2, "")
    thread = threading.Thread(
        target=lambda: ArtifactCache(tmp_path).get_or_build("features", {}, lambda: source)
    )
    thread.start()
    assert first.wait(WAIT_SECONDS)
    while len(asked) < 4:
        pass
    assert not threading.Event().wait(0.2)
    assert len(asked) == 4
    release.set()
    thread.join(WAIT_SECONDS)
    assert len(asked) == COUNT


def test_a_bar_counts_the_blocks_that_are_missing(tmp_path, interrupted):
    class Counting(Progress):
        shown: list[tuple[int, str]] = []  # noqa: RUF012

        def track(self, items, total, description):
            self.shown.append((total, description))
            return super().track(items, total, description)

    cache = ArtifactCache(tmp_path, lambda line: None)
    cache.get_or_build("features", {}, Source(), Counting())
    assert Counting.shown == [(BLOCKS - 6, "blocks")]


def test_what_was_finished_is_not_computed_again(tmp_path, interrupted):
    assert noted(interrupted) == [0, 1, 2, 3, 4, 5]
    lines, source = [], Source()
    assert torch.equal(get(tmp_path, source, lines.append), WHOLE)
    assert source.asked == [6, 7, 8, 9, 10]
    assert lines == [f"going on with what an interrupted command left of {interrupted.with_suffix('')}"]
    assert entry(tmp_path).suffix == ""


def test_ctrl_c_keeps_what_was_finished(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        get(tmp_path, Source(fail_at=60, error=KeyboardInterrupt()))
    source = Source()
    assert torch.equal(get(tmp_path, source, lambda line: None), WHOLE)
    assert source.asked == [6, 7, 8, 9, 10]


def test_a_block_that_did_not_reach_the_disk_is_computed_again(tmp_path, interrupted):
    spoil(interrupted / "tensors.safetensors", 2)
    source = Source()
    assert torch.equal(get(tmp_path, source, lambda line: None), WHOLE)
    assert source.asked == [2, 6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    ("damage", "asked"),
    [
        (lambda text: text[:-20], [5, 6, 7, 8, 9, 10]),  # torn in the last line
        (lambda text: text + '{"block": 6, "sha', [6, 7, 8, 9, 10]),
        (lambda text: text + "\0" * 40, [6, 7, 8, 9, 10]),
        (
            lambda text: text + '{"block": 99, "sha256": "0"}\n[1]\n{"block": [], "sha256": 0}\n',
            [6, 7, 8, 9, 10],
        ),
        (lambda text: text.replace('"block": 10', '"block": 20', 1), list(range(BLOCKS))),  # another layout
        (lambda text: "\0" + text, list(range(BLOCKS))),
    ],
)
def test_torn_and_foreign_journals(tmp_path, interrupted, damage, asked):
    journal = interrupted / "journal.jsonl"
    journal.write_text(damage(journal.read_text()))
    source = Source()
    assert torch.equal(get(tmp_path, source, lambda line: None), WHOLE)
    assert source.asked == asked


def test_a_file_that_was_cut_or_lost_before_work_is_taken_up(tmp_path, interrupted):
    path = interrupted / "tensors.safetensors"
    os.truncate(path, Layout.of(Source()()).offset(4) + 1)
    source = Source()
    assert torch.equal(get(tmp_path, source, lambda line: None), WHOLE)
    assert source.asked == [4, 5, 6, 7, 8, 9, 10]


def test_other_blocks_than_before_begin_again(tmp_path, interrupted):
    assert torch.equal(get(tmp_path, Source(), lambda line: None, block=20), WHOLE)


def test_failing_before_the_first_block_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError):
        get(tmp_path, Source(fail_at=0))
    assert list((tmp_path / "features").iterdir()) == []


@pytest.mark.parametrize("changes", [{"shape": (WIDTH + 1,)}, {"dtype": torch.float32}])
def test_blocks_of_another_shape_or_type_are_refused(tmp_path, changes):
    with pytest.raises(ValueError, match=r"x\[0:10\] is \(10, 50\) torch.float16 instead of"):
        get(tmp_path, Source(), **changes)


def test_only_a_damaged_block_is_rebuilt(tmp_path, stored):
    held = get(tmp_path, pytest.fail)
    spoil(stored / "tensors.safetensors", 7)
    lines, source = [], Source()
    assert torch.equal(get(tmp_path, source, lines.append), WHOLE)
    assert source.asked == [7]
    assert lines == [f"cache entry {stored}: block 7 is damaged: rebuilding it"]
    assert torch.equal(held, WHOLE)
    assert sorted(path.name for path in stored.iterdir()) == ["artifact.json", "tensors.safetensors"]
    assert torch.equal(get(tmp_path, pytest.fail), WHOLE)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def rename_the_tensor(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"y"', 1))


@pytest.mark.parametrize(
    ("damage", "message", "asked"),
    [
        (cut, "2 parts are damaged, first the size: rebuilding them", [10]),
        (lengthen, "the size is damaged: rebuilding it", []),
        (rename_the_tensor, "the header is damaged: rebuilding it", []),
        (
            lambda path: (spoil(path, 1), spoil(path, 4)),
            "2 parts are damaged, first block 1: rebuilding them",
            [1, 4],
        ),
    ],
)
def test_other_damage_to_the_file(tmp_path, stored, damage, message, asked):
    damage(stored / "tensors.safetensors")
    lines, source = [], Source()
    assert torch.equal(get(tmp_path, source, lines.append), WHOLE)
    assert source.asked == asked
    assert lines == [f"cache entry {stored}: {message}"]


@pytest.mark.parametrize("file", ["artifact.json", "tensors.safetensors"])
def test_a_missing_file_costs_the_whole_entry(tmp_path, stored, file):
    (stored / file).unlink()
    lines, source = [], Source()
    assert torch.equal(get(tmp_path, source, lines.append), WHOLE)
    assert source.asked == list(range(BLOCKS))
    assert lines == [f"cache entry {stored} is damaged ({file} is missing): rebuilding"]


def test_entries_that_were_stored_whole_stay_valid(tmp_path):
    ArtifactCache(tmp_path).get_or_build("features", {}, lambda: Artifact({"x": WHOLE.clone()}, {}))
    assert "layout" not in json.loads((entry(tmp_path) / "artifact.json").read_text())
    assert torch.equal(get(tmp_path, pytest.fail), WHOLE)


def test_data_is_synced_while_work_goes_on(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("mmulbench.cache.blockwise.SYNC_SECONDS", -1.0)
    monkeypatch.setattr(os, "fsync", synced.append)
    get(tmp_path, Source())
    assert len(synced) >= 2 * BLOCKS


# Real processes from here on: the targets must be importable.


def die_at_block_six(root: Path) -> None:
    def compute(rows: range) -> torch.Tensor:
        if rows.start == 60:
            while len(noted(next((root / "features").iterdir()))) < 6:
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        return content(rows)

    source = Blockwise("x", COUNT, (WIDTH,), torch.float16, compute, BLOCK, 1, "blocks")
    ArtifactCache(root).get_or_build("features", {}, lambda: source)


def test_kill_9_costs_no_finished_block(tmp_path):
    child = FORKS.Process(target=die_at_block_six, args=(tmp_path,))
    child.start()
    child.join(WAIT_SECONDS)
    assert child.exitcode == -signal.SIGKILL
    source = Source()
    assert torch.equal(get(tmp_path, source, lambda line: None), WHOLE)
    assert source.asked == [6, 7, 8, 9, 10]


def fill_a_small_disk(root: Path, file_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    try:
        get(root, Source())
    except MmulbenchError as error:
        (root / "message").write_text(str(error))


def test_full_disk_is_one_line_and_nothing_half_written_is_valid(tmp_path):
    child = FORKS.Process(target=fill_a_small_disk, args=(tmp_path, 4000))
    child.start()
    child.join(WAIT_SECONDS)
    message = (tmp_path / "message").read_text()
    assert message.startswith(f"cannot write {tmp_path / 'features'}") and "\n" not in message
    assert message.endswith("; free space or choose another folder with --cache-dir")
    assert torch.equal(get(tmp_path, Source()), WHOLE)


def test_memory_is_given_back_after_the_last_block(tmp_path):
    """Pages of a large temporary are reused while blocks are computed, and are the system's afterwards."""

    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() // 2**20

    def faults() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    counted: list[int] = []

    def compute(rows: range) -> torch.Tensor:
        before = faults()
        torch.ones(2**24)  # 64 MiB: 16,384 pages
        counted.append(faults() - before)
        return content(rows)

    source = Blockwise("x", COUNT, (WIDTH,), torch.float16, compute, BLOCK, 1, "")
    before = resident()
    ArtifactCache(tmp_path).get_or_build("features", {}, lambda: source)
    assert resident() < before + 32
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        assert sorted(counted)[len(counted) // 2] < 4096
