"""Randomness by name: every stage derives its own stream, so no stage depends on which ran before it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

import numpy as np
import torch


def derive(seed: int, *names: str) -> int:
    """A seed for one named use, below 2**63; different names give unrelated streams."""
    digest = hashlib.sha256("/".join([str(seed), *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, *names: str) -> np.random.Generator:
    """NumPy generator for one named use."""
    return np.random.default_rng(derive(seed, *names))


@contextlib.contextmanager
def torch_seeded(seed: int, *names: str) -> Iterator[None]:
    """Run a block with torch's global generators seeded for one named use, and put their state back."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(derive(seed, *names))
        yield
