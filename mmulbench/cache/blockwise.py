"""One large tensor of the cache, computed and verified a block at a time.

Its file is laid out before anything is computed. Every finished block is written to its place and noted with
its checksum in a journal, so that a killed command goes on where it was and damage costs one block.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from mmulbench.cache.block_layout import Layout
from mmulbench.files import disk_errors, write_atomically
from mmulbench.malloc import large_blocks_reused
from mmulbench.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from mmulbench.cache.block_layout import Blockwise

T = TypeVar("T")

CACHE_FLAG = "--cache-dir"
TENSORS, JOURNAL = "tensors.safetensors", "journal.jsonl"

SYNC_SECONDS = 10.0
"""Longest time between two syncs: a power cut costs the blocks of so long, a killed command none."""

READERS = min(8, os.cpu_count() or 1)
"""Number of threads that verify blocks: reading and hashing let go of Python's lock."""


def faults(path: Path, layout: Layout, checksums: list[str]) -> list[str]:
    """List the damaged parts of a finished file: its size, its header, and blocks whose checksum differs.

    Args:
        path: the file.
        layout: layout of its tensor.
        checksums: checksums that its blocks should have.

    Returns:
        Names of the parts; none if the file is intact.

    Raises:
        OSError: The file cannot be read.
    """
    intact = _intact(path, layout, dict(enumerate(checksums)))
    with path.open("rb") as file:
        header = file.read(len(layout.header))
    found = [] if path.stat().st_size == layout.file_bytes else ["the size"]
    found += [] if header == layout.header else ["the header"]
    return found + [f"block {block}" for block in range(layout.blocks) if block not in intact]


def _intact(path: Path, layout: Layout, checksums: Mapping[int, str]) -> set[int]:
    """Return the blocks whose content has the given checksum."""
    descriptor = os.open(path, os.O_RDONLY)

    def check(block: int) -> bool:
        content = os.pread(descriptor, len(layout.rows(block)) * layout.item_bytes, layout.offset(block))
        return hashlib.sha256(content).hexdigest() == checksums[block]

    try:
        with ThreadPoolExecutor(READERS) as pool:
            return {block for block, good in zip(checksums, pool.map(check, checksums), strict=True) if good}
    finally:
        os.close(descriptor)


def has_work(folder: Path) -> bool:
    """Say whether a folder holds finished blocks of a file that is not finished."""
    journal = folder / JOURNAL
    return journal.is_file() and journal.read_bytes().count(b"\n") > 1


def reopen(folder: Path, layout: Layout, checksums: list[str]) -> None:
    """Turn a finished file into an unfinished one, so that `fill` computes the damaged blocks alone.

    Args:
        folder: folder of the file.
        layout: layout of its tensor.
        checksums: checksums that its blocks should have.

    Raises:
        MmulbenchError: The journal cannot be written.
    """
    _write_journal(folder, layout, dict(enumerate(checksums)))


def _write_journal(folder: Path, layout: Layout, done: Mapping[int, str]) -> None:
    lines = [asdict(layout), *({"block": block, "sha256": one} for block, one in done.items())]
    write_atomically(folder / JOURNAL, "".join(map(_line, lines)), CACHE_FLAG)


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value) + "\n"


def _noted(folder: Path, layout: Layout) -> dict[int, str]:
    """Read the checksums of the blocks that the journal of this very layout notes; a torn line notes none."""
    journal = folder / JOURNAL
    first, *lines = journal.read_bytes().split(b"\n") if journal.exists() else [b""]
    if first != _line(asdict(layout)).strip().encode():
        return {}
    noted: dict[int, str] = {}
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            found = json.loads(line)
            noted[found["block"]] = found["sha256"]
    return {block: noted[block] for block in range(layout.blocks) if block in noted}


def fill(source: Blockwise, folder: Path, progress: Progress) -> tuple[Layout, list[str]]:
    """Compute the blocks that are not there yet and write each to its place.

    Args:
        source: computes blocks.
        folder: folder of the file, which the caller alone uses.
        progress: shows a bar that counts the blocks computed.

    Returns:
        The layout, and every block's checksum.

    Raises:
        MmulbenchError: The disk is full or refuses.
    """
    layout = Layout.of(source)
    with disk_errors("write", folder, CACHE_FLAG):
        output = _Output(folder, layout)
    with output:
        missing = [block for block in range(layout.blocks) if block not in output.done]
        finished = _computed(source, layout, output, missing)
        for block, checksum in progress.track(finished, len(missing), source.description):
            output.note(block, checksum)
    return layout, [output.done[block] for block in range(layout.blocks)]


class _Output:
    """Writes a file and its journal; begins with what is there and intact.

    Any thread may write blocks; one notes them.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder = folder
        path = folder / TENSORS
        self._data = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            os.ftruncate(self._data, layout.file_bytes)  # takes no space until blocks are written
            self.write(layout.header, 0)
            noted = _noted(folder, layout)
            intact = _intact(path, layout, noted)
            self.done = {block: noted[block] for block in noted if block in intact}
            _write_journal(folder, layout, self.done)
            self._journal = (folder / JOURNAL).open("a", encoding="utf-8")
        except BaseException:
            os.close(self._data)
            raise
        self._synced = time.monotonic()

    def __enter__(self) -> _Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both files, synced where all went well."""
        try:
            if kind is None:
                self._sync()
        finally:
            self._journal.close()
            os.close(self._data)

    def write(self, content: Any, offset: int) -> None:
        """Write bytes to their place.

        Raises:
            MmulbenchError: The disk is full or refuses.
        """
        rest = memoryview(content)
        with disk_errors("write", self._folder, CACHE_FLAG):
            while rest:
                written = os.pwrite(self._data, rest, offset)
                rest, offset = rest[written:], offset + written

    def note(self, block: int, checksum: str) -> None:
        """Note a block that is written.

        The line may reach the disk before the block does: the checksum tells when work is taken up again.
        """
        self.done[block] = checksum
        with disk_errors("write", self._folder, CACHE_FLAG):
            self._journal.write(_line({"block": block, "sha256": checksum}))
            self._journal.flush()
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self._sync()

    def _sync(self) -> None:
        with disk_errors("write", self._folder, CACHE_FLAG):
            os.fsync(self._data)
            os.fsync(self._journal.fileno())
        self._synced = time.monotonic()


def _computed(
    source: Blockwise, layout: Layout, output: _Output, missing: list[int]
) -> Iterator[tuple[int, str]]:
    """Yield the blocks in order, with their checksums, as the source's threads compute and write them."""

    def work(block: int) -> tuple[int, str]:
        content = _content(source.compute(layout.rows(block)), source, layout.rows(block))
        output.write(content, layout.offset(block))
        return block, hashlib.sha256(content).hexdigest()

    if source.workers == 1:
        with large_blocks_reused():
            yield from map(work, missing)
        return
    pool = ThreadPoolExecutor(source.workers)
    try:
        # As many again wait for their turn, so that no thread idles and memory stays bounded.
        yield from _ahead(pool, work, missing, 2 * source.workers)
    finally:
        pool.shutdown(cancel_futures=True)


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[int], T], blocks: Sequence[int], most: int
) -> Iterator[T]:
    """Yield results in order, with at most so many under way."""
    rest = iter(blocks)
    waiting: deque[Future[T]] = deque(pool.submit(work, block) for block in islice(rest, most))
    while waiting:
        done = waiting.popleft().result()
        waiting.extend(pool.submit(work, block) for block in islice(rest, 1))
        yield done


def _content(found: Tensor, source: Blockwise, rows: range) -> memoryview:
    """Return the bytes of a block.

    Raises:
        ValueError: Its shape or type is not that of the source.
    """
    import torch

    if found.shape != (len(rows), *source.shape) or found.dtype != source.dtype:
        raise ValueError(
            f"{source.name}[{rows.start}:{rows.stop}] is {tuple(found.shape)} {found.dtype} instead of "
            f"{(len(rows), *source.shape)} {source.dtype}"
        )
    return found.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
