"""Files of weights: how tensors are named by a digest, and which files of a folder may be read."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from mmulbench.backbones._pretrained.foreign_files import read_tensors
from mmulbench.backbones._pretrained.provenance import TRAINED_ON
from mmulbench.cache.tensor_files import save_tensors
from mmulbench.errors import UsageError

MAIN = "model.safetensors"
"""File of the weights that the family's own format has a place for."""

REST = "mmulbench.safetensors"
"""File of the weights that it has none for, by the names that they have in the model here."""

_READ = (".json", ".txt", ".model", ".safetensors", ".bin", ".pth")
"""Endings of the files that reading a folder looks at."""


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of names, types, shapes and values, in order of the names.

    Args:
        tensors: tensors by name. Those whose numbers are not there count by name and shape alone.
    """
    found = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        found.update(f"{name} {value.dtype} {[*value.shape]}\n".encode())
        if is_whole(value):
            found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def is_whole(value: Tensor) -> bool:
    """Tell whether a tensor holds a number for each of its places: others could be of any size."""
    plain = value.layout == torch.strided and not value.is_quantized and value.device.type != "meta"
    return plain and value.untyped_storage().nbytes() >= value.nbytes


def write_weights(tensors: Mapping[str, Tensor], path: Path, trained_on: Iterable[str]) -> None:
    """Write tensors as a safetensors file that transformers reads.

    Args:
        tensors: tensors by name.
        path: the file.
        trained_on: names or fingerprints of the data that they were trained on.

    Raises:
        OSError: It cannot be written.
    """
    names = sorted(trained_on)
    metadata = {"format": "pt", **({TRAINED_ON: json.dumps(names)} if names else {})}
    save_tensors(tensors, path, metadata)
    _put_in_order(path)


def _put_in_order(path: Path) -> None:
    """Sort what a safetensors file says of itself, which has a new order each time: equal files are alike."""
    with path.open("rb+") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= length:
            file.seek(8)
            file.write(text.ljust(length))


def rest_of(folder: Path) -> dict[str, Tensor]:
    """Return the weights that the family's own format has no place for; none where there is no such file.

    Raises:
        MmulbenchError: It is damaged.
    """
    path = folder / REST
    return read_tensors(path) if path.is_file() else {}


def refuse_outside(folder: Path) -> None:
    """Refuse a folder with files that lead out of it; those of a hub's cache lead to its own store.

    Raises:
        UsageError: One does.
    """
    inside = [folder.resolve()]
    if folder.parent.name == "snapshots":
        inside.append(folder.resolve().parent.parent / "blobs")
    for path in sorted(folder.iterdir()):
        if path.suffix not in _READ or not path.is_symlink():
            continue
        target = path.resolve()
        if not any(target.is_relative_to(one) for one in inside):
            raise UsageError(f"{path} leads out of its folder, to {target}: refused; put a copy in its place")
