"""Read and check one entry of the cache: a folder with tensors, and a record of what they depend on.

An entry is the folder ``<kind>/<key>/`` with `tensors.safetensors` and `artifact.json`; the key is a hash of
everything the tensors depend on, so a stale entry cannot be taken for a valid one. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from mmulbench.cache import blockwise
from mmulbench.cache.block_layout import Layout
from mmulbench.cache.blockwise import CACHE_FLAG, TENSORS
from mmulbench.files import disk_errors, sha256_of
from mmulbench.hashing import canonical_json, fingerprint

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1
"""Version of an entry's layout. It is part of every key, so that older entries are simply not found."""

RECORD = "artifact.json"
"""File of an entry that says what its tensors are; it is written last."""

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None


@dataclass(frozen=True)
class Artifact:
    """Holds tensors with what is to be known about them.

    Attributes:
        tensors: tensors by name, on the CPU; memory-mapped when they come from the cache.
        info: JSON-serialisable facts about them, such as their cost.
    """

    tensors: dict[str, torch.Tensor]
    info: dict[str, Any]


class Absent(Exception):
    """Says that there is no usable entry."""


class Damaged(Absent):
    """Says that there is an entry that cannot be trusted, and why."""


class PartlyDamaged(Damaged):
    """Says that parts of an entry cannot be trusted, and all others can.

    Args:
        parts: names of the damaged parts.
        layout: layout of the tensor.
        checksums: checksums that its blocks should have.
    """

    def __init__(self, parts: list[str], layout: Layout, checksums: list[str]) -> None:
        one = f"{parts[0]} is damaged: rebuilding it"
        super().__init__(
            one if len(parts) == 1 else f"{len(parts)} parts are damaged, first {parts[0]}: rebuilding them"
        )
        self.layout, self.checksums = layout, checksums


def identity_of(kind: str, inputs: Mapping[str, JSON]) -> dict[str, Any]:
    """Return what an entry must say of itself; its hash is the entry's key.

    Args:
        kind: what the entry is; names the folder above it.
        inputs: everything its tensors depend on.
    """
    return {"format": FORMAT_VERSION, "kind": kind, "inputs": inputs}


def load_entry(folder: Path, identity: Mapping[str, Any]) -> Artifact:
    """Verify and load an entry.

    Args:
        folder: the entry.
        identity: what it must say of itself.

    Raises:
        Absent: There is none.
        Damaged: It cannot be trusted.
        RuntimeError: The tensors do not fit into memory.
    """
    from safetensors.torch import load_file

    tensors = folder / TENSORS
    with disk_errors("read", folder, CACHE_FLAG):
        if not folder.exists():
            raise Absent("it is missing")
        try:
            record = _read_record(folder / RECORD, identity)
            _verify(tensors, record)
            return Artifact(tensors=load_file(tensors), info=record["info"])  # mapped, not read
        except FileNotFoundError as error:
            raise Damaged(f"{Path(error.filename or tensors).name} is missing") from error
        except RuntimeError as error:
            if not str(error).startswith("unable to open file"):
                raise
            raise Damaged(f"{TENSORS} went while it was read") from error


def _verify(tensors: Path, record: Mapping[str, Any]) -> None:
    """Check that the tensors are those that the record describes.

    Raises:
        PartlyDamaged: Some blocks are not.
        Damaged: The whole file is not.
    """
    if "layout" in record:
        layout = Layout.from_json(record["layout"])
        parts = blockwise.faults(tensors, layout, record["blocks"])
        if parts:
            raise PartlyDamaged(parts, layout, record["blocks"])
        return
    size = tensors.stat().st_size
    if size != record["size"]:
        raise Damaged(f"{TENSORS} has {size} bytes instead of {record['size']}")
    if sha256_of(tensors) != record["sha256"]:
        raise Damaged(f"the checksum of {TENSORS} is wrong")


def _read_record(path: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says of itself.

    Raises:
        Damaged: It was altered, or is of another entry.
    """
    try:
        record = json.loads(path.read_bytes())
        intact = isinstance(record, dict) and record.pop("checksum", None) == fingerprint(record)
    except ValueError as error:
        raise Damaged(f"{RECORD} is not valid JSON") from error
    if not intact:
        raise Damaged(f"{RECORD} was altered")
    if canonical_json({name: record.get(name) for name in identity}) != canonical_json(identity):
        raise Damaged(f"{RECORD} describes other inputs")
    return cast("dict[str, Any]", record)


def is_intact(folder: Path, identity: Mapping[str, Any]) -> bool:
    """Tell whether there is an entry that can be trusted.

    Args:
        folder: the entry.
        identity: what it must say of itself.
    """
    try:
        load_entry(folder, identity)
    except Absent:
        return False
    return True
