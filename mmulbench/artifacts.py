"""Content-addressed cache of tensors: originals, retrains, features and targets, built once and shared.

An entry is the folder ``<kind>/<key>/`` with `tensors.safetensors` and `artifact.json`; the key is a hash of
everything the tensors depend on, so a stale entry cannot be taken for a valid one. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from filelock import FileLock, Timeout

from mmulbench import __version__
from mmulbench.errors import MmulbenchError
from mmulbench.files import disk_errors, sha256_of, sync_folder, write_atomically
from mmulbench.results import canonical_json, fingerprint

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1
"""Raised when the layout of an entry changes; part of every key, so older entries are simply not found."""

CACHE_FLAG = "--cache-dir"

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None

_LOG = logging.getLogger(__name__)
_TENSORS = "tensors.safetensors"
_RECORD = "artifact.json"


@dataclass(frozen=True)
class Artifact:
    """Tensors with what is to be known about them.

    Attributes:
        tensors: By name, on the CPU; memory-mapped when they come from the cache.
        info: JSON-serialisable facts kept with them, such as what they cost.
    """

    tensors: dict[str, torch.Tensor]
    info: dict[str, Any]


class _Absent(Exception):
    """There is no usable entry."""


class _Damaged(_Absent):
    """There is an entry that cannot be trusted; the text says why."""


class ArtifactCache:
    """Cache of artifacts under one folder, safe for several threads, processes and kills.

    Args:
        root: The cache folder; made on first use.
        report: Receives one line when an entry is damaged or another process must be waited for.
    """

    def __init__(self, root: Path, report: Callable[[str], None] = _LOG.warning) -> None:
        self._root = root
        self._report = report

    def get_or_build(self, kind: str, inputs: Mapping[str, JSON], build: Callable[[], Artifact]) -> Artifact:
        """Load an artifact, or build and store it; of several processes at once, one builds.

        Args:
            kind: What it is, such as ``"original"``; names the folder.
            inputs: Everything its tensors depend on.
            build: Makes it. Not called when a valid entry exists.

        Returns:
            The artifact as read from disk, so a fresh one equals a cached one bit for bit.

        Raises:
            MmulbenchError: The cache cannot be read or written; no partial entry is left.
        """
        identity = {"format": FORMAT_VERSION, "kind": kind, "inputs": inputs}
        key = fingerprint(identity)[:16]
        folder = self._root / kind / key
        with contextlib.suppress(_Absent):
            return _load(folder, identity)
        with self.lock(f"{kind}-{key}", f"building {kind}"):
            try:
                return _load(folder, identity)
            except _Damaged as damage:
                self._report(f"cache entry {folder} is damaged ({damage}): rebuilding")
            except _Absent:
                pass
            with _staging(folder) as staging:
                artifact = build()
                _store(artifact, identity, staging, folder)
            try:
                return _load(folder, identity)
            except _Absent as error:
                raise MmulbenchError(
                    f"cache entry {folder} does not read back as written ({error}); check the disk or "
                    f"choose another folder with {CACHE_FLAG}"
                ) from error

    @contextlib.contextmanager
    def lock(self, name: str, doing: str | None = None) -> Iterator[None]:
        """Hold a lock that one thread of one process can have at a time; the kernel frees it on kill -9.

        The lock file under ``locks/`` stays: removing it would let two waiters lock different files.

        Args:
            name: The lock's name, usable as a file name.
            doing: What the holder does, for the report of having to wait.

        Raises:
            MmulbenchError: The lock file cannot be made.
        """
        path = self._root / "locks" / f"{name}.lock"
        with disk_errors("lock", path, CACHE_FLAG):
            path.parent.mkdir(parents=True, exist_ok=True)
            held = FileLock(path)
            try:
                held.acquire(timeout=0)
            except Timeout:
                self._report(f"waiting for another process {doing or f'holding {name}'}")
                held.acquire()
        try:
            yield
        finally:
            held.release()


def _load(folder: Path, identity: Mapping[str, Any]) -> Artifact:
    """Verify and load an entry; `_Absent` or `_Damaged` when that cannot be done."""
    from safetensors.torch import load_file

    tensors = folder / _TENSORS
    with disk_errors("read", folder, CACHE_FLAG):
        if not folder.exists():
            raise _Absent("it is missing")
        try:
            record = _read_record(folder / _RECORD, identity)
            size = tensors.stat().st_size
            if size != record["size"]:
                raise _Damaged(f"{_TENSORS} has {size} bytes instead of {record['size']}")
            if sha256_of(tensors) != record["sha256"]:
                raise _Damaged(f"the checksum of {_TENSORS} is wrong")
            return Artifact(tensors=load_file(tensors), info=record["info"])
        except FileNotFoundError as error:
            raise _Damaged(f"{Path(error.filename).name} is missing") from error


def _read_record(path: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
        intact = isinstance(record, dict) and record.pop("checksum", None) == fingerprint(record)
    except ValueError as error:
        raise _Damaged(f"{_RECORD} is not valid JSON") from error
    if not intact:
        raise _Damaged(f"{_RECORD} was altered")
    if canonical_json({name: record.get(name) for name in identity}) != canonical_json(identity):
        raise _Damaged(f"{_RECORD} describes other inputs")
    return cast("dict[str, Any]", record)


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """An empty sibling to build in; clears what a killed process left there. Needs the entry's lock."""
    staging = folder.with_name(f"{folder.name}.tmp")
    with disk_errors("write", staging, CACHE_FLAG):
        if staging.exists():
            shutil.rmtree(staging)
        staging.mkdir(parents=True)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _store(artifact: Artifact, identity: Mapping[str, Any], staging: Path, folder: Path) -> None:
    """Write both files to ``staging``, then rename it to ``folder``, replacing a damaged entry."""
    tensors = staging / _TENSORS
    with disk_errors("write", folder, CACHE_FLAG):
        _save_tensors(artifact.tensors, tensors)
        record = {
            **identity,
            "info": artifact.info,
            "sha256": sha256_of(tensors),
            "size": tensors.stat().st_size,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "mmulbench": __version__,
        }
        # Through JSON once, so that tuples and number keys hash as they will when read back.
        record = json.loads(canonical_json(record))
        record["checksum"] = fingerprint(record)
        write_atomically(staging / _RECORD, json.dumps(record, indent=1) + "\n", CACHE_FLAG)
        # safetensors makes files only their owner can read: a shared cache follows the umask.
        tensors.chmod((staging / _RECORD).stat().st_mode)
        if folder.exists():
            shutil.rmtree(folder)
        staging.replace(folder)
        sync_folder(folder.parent)


def _save_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(_separate(tensors), path)
    except SafetensorError as error:
        code = re.search(r"os error (\d+)", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1]))) from error
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _separate(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors on the CPU, contiguous, no two sharing memory: what safetensors can store."""
    separate: dict[str, torch.Tensor] = {}
    memory: set[int] = set()
    for name, tensor in tensors.items():
        dense = tensor.detach().cpu().contiguous()
        address = dense.untyped_storage().data_ptr()
        separate[name] = dense.clone() if address in memory else dense
        memory.add(address)
    return separate
