"""Any tensors as a safetensors file, and reading large ones without keeping them in memory."""

from __future__ import annotations

import json
import os
import re
import struct
import weakref
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.errors import MmulbenchError
from mmulbench.files import reason_of

if TYPE_CHECKING:
    import torch

STAYS_MAPPED = 2**27
"""Largest size in bytes of a tensor that stays mapped: it takes too little memory to save it."""


class RowsOnDisk:
    """Reads rows of a tensor in a file when they are asked for, and keeps none.

    What is read through a mapping is part of the process's memory for as long as the mapping lasts: in the
    end the whole file. The system's page cache keeps the content either way, and reading scattered rows takes
    less time than the page faults of a mapping. The file may be replaced meanwhile.

    Args:
        path: the file.
        start: where the tensor begins in it, in bytes.
        tensor: the same tensor, mapped; says its shape and type.
    """

    def __init__(self, path: Path, start: int, tensor: torch.Tensor) -> None:
        self._path = path
        self._start = start
        self._shape, self._dtype = tensor.shape, tensor.dtype
        self._row_bytes = prod(tensor.shape[1:]) * tensor.itemsize
        self._file = path.open("rb", buffering=0)
        weakref.finalize(self, self._file.close)

    def __getitem__(self, index: torch.Tensor) -> torch.Tensor:
        """Return (*i, ...) the rows of an index of shape (*i,), as indexing the tensor gives them.

        Raises:
            IndexError: There is no such row.
            MmulbenchError: The file was cut, or the disk fails.
        """
        import torch

        rows = index.flatten().tolist()
        if rows and not 0 <= min(rows) <= max(rows) < self._shape[0]:
            raise IndexError(f"rows {min(rows)} to {max(rows)} of {self._shape[0]}")
        found = torch.empty((len(rows), *self._shape[1:]), dtype=self._dtype)
        room = found.view(-1).view(torch.uint8).numpy().data
        for place, row in enumerate(rows):
            self._read(room[place * self._row_bytes : (place + 1) * self._row_bytes], row)
        return found.view(*index.shape, *self._shape[1:])

    def _read(self, room: memoryview, row: int) -> None:
        try:
            count = os.preadv(self._file.fileno(), [room], self._start + row * self._row_bytes)
        except OSError as error:
            raise MmulbenchError(f"cannot read {self._path}: {reason_of(error)}; check the disk") from error
        if count != self._row_bytes:
            raise MmulbenchError(f"{self._path} was cut while it was in use; run the command again")


def rows_of(tensors: Mapping[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor | RowsOnDisk]:
    """Return tensors of a file as they are, but those that take more than `STAYS_MAPPED` as `RowsOnDisk`.

    Args:
        tensors: some of the file's or all, as loaded from it.
        path: the safetensors file.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {
        name: tensor
        if tensor.nbytes <= STAYS_MAPPED
        else RowsOnDisk(path, 8 + length + header[name]["data_offsets"][0], tensor)
        for name, tensor in tensors.items()
    }


def save_tensors(
    tensors: Mapping[str, torch.Tensor], path: Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors to a safetensors file that survives a power cut; what is shared is stored twice.

    Args:
        tensors: tensors by name, of any device.
        path: the file.
        metadata: texts to keep with them, by name.

    Raises:
        OSError: It cannot be written.
        SafetensorError: A tensor cannot be stored.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(_separate(tensors), path, None if metadata is None else dict(metadata))
    except SafetensorError as error:
        code = re.search(r"os error (\d+)", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1]))) from error
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _separate(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copy tensors as safetensors can store them: on the CPU, contiguous, no two sharing memory."""
    separate: dict[str, torch.Tensor] = {}
    memory: set[int] = set()
    for name, tensor in tensors.items():
        dense = tensor.detach().cpu().contiguous()
        address = dense.untyped_storage().data_ptr()
        separate[name] = dense.clone() if address in memory else dense
        memory.add(address)
    return separate
