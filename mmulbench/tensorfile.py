"""Any tensors as a safetensors file, and reading large ones without keeping them in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.errors import MmulbenchError
from mmulbench.files import reason_of

if TYPE_CHECKING:
    import torch

STAYS_MAPPED = 2**27
"""Bytes of a file's tensors up to which they stay mapped: they take too little memory to save it."""


class MappedForUse(Mapping[str, "torch.Tensor"]):
    """Tensors of a safetensors file, mapped into memory anew each time one is asked for.

    What is read through a mapping is part of the process's memory for as long as the mapping lasts: kept for
    a whole run, it grows to the size of the file. The system's page cache keeps the content, so that reading
    it again reads no disk; mapping a file takes about 0.04 ms.

    Args:
        path: of the file, which must stay where it is.
        names: of the tensors.
    """

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        self._path = path
        self._names = names

    def __getitem__(self, name: str) -> torch.Tensor:
        """A tensor of the file, its memory the caller's to give back.

        Raises:
            KeyError: it is none of the names.
            MmulbenchError: the file is gone.
        """
        from safetensors import safe_open

        if name not in self._names:
            raise KeyError(name)
        try:
            with safe_open(self._path, framework="pt") as file:
                return file.get_tensor(name)  # type: ignore[no-any-return]
        except OSError as error:
            message = f"cannot read {self._path} any more: {reason_of(error)}; run the command again"
            raise MmulbenchError(message) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def mapped_for_use(tensors: Mapping[str, torch.Tensor], path: Path) -> Mapping[str, torch.Tensor]:
    """Tensors of a file as they are, or, where they take more than `STAYS_MAPPED`, mapped for each use.

    Args:
        tensors: as loaded from the file; some of its tensors or all.
        path: of the file.
    """
    if sum(tensor.nbytes for tensor in tensors.values()) <= STAYS_MAPPED:
        return tensors
    return MappedForUse(path, tuple(tensors))


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write tensors to a safetensors file that survives a power cut; what is shared is stored twice.

    Raises:
        OSError: it cannot be written.
    """
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
