"""Lay one large tensor out in blocks of a safetensors file."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Blockwise:
    """Describes one large model input that is computed in blocks of items, never held whole in memory.

    Attributes:
        name: name of the input.
        count: number of items.
        shape: shape of one item.
        dtype: type of the numbers.
        compute: returns (len, *shape) for a range of items; called for ranges in any order, from ``workers``
            threads, and the same for the same range.
        block: number of items in a range.
        workers: number of threads that compute at once; 1 where the work itself uses all cores.
        description: text of the progress bar.
    """

    name: str
    count: int
    shape: tuple[int, ...]
    dtype: torch.dtype
    compute: Callable[[range], Tensor]
    block: int
    workers: int
    description: str


@dataclass(frozen=True)
class Layout:
    """Describes where the blocks of a tensor lie in its safetensors file, which holds nothing else.

    Attributes:
        name: name of the tensor.
        dtype: type of the numbers as safetensors calls it, such as ``F16``.
        shape: shape of the whole tensor; the first dimension runs over items.
        item_bytes: size of an item.
        block: number of items in a block; the last block may hold fewer.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    item_bytes: int
    block: int

    @classmethod
    def of(cls, source: Blockwise) -> Layout:
        """Return the layout of an input."""
        import torch
        from safetensors.torch import save

        sample = save({"x": torch.empty(0, dtype=source.dtype)})  # to have safetensors say what it calls it
        dtype = json.loads(sample[8:])["x"]["dtype"]
        item_bytes = prod(source.shape) * source.dtype.itemsize
        return cls(source.name, dtype, (source.count, *source.shape), item_bytes, source.block)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Layout:
        """Return the layout that `dataclasses.asdict` was given."""
        return cls(**{**value, "shape": tuple(value["shape"])})

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.shape[0] // self.block)

    @property
    def header(self) -> bytes:
        """First bytes of the file: the length of a JSON text, and the text, padded to eight bytes."""
        entry = {
            "dtype": self.dtype,
            "shape": self.shape,
            "data_offsets": (0, self.shape[0] * self.item_bytes),
        }
        text = json.dumps({self.name: entry}).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text

    @property
    def file_bytes(self) -> int:
        """Size of the file in bytes."""
        return len(self.header) + self.shape[0] * self.item_bytes

    def rows(self, block: int) -> range:
        """Return the items of a block."""
        start = block * self.block
        return range(start, min(start + self.block, self.shape[0]))

    def offset(self, block: int) -> int:
        """Return where a block begins in the file, in bytes."""
        return len(self.header) + block * self.block * self.item_bytes
