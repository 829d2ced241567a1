"""Randomness by name: every stage derives its own stream, so no stage depends on which ran before it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

import numpy as np


def derive(seed: int, *names: str) -> int:
    """Derive a seed for one named use, below 2**63; different names give unrelated streams.

    Args:
        seed: seed of the run.
        *names: name of the use, in one or more parts.
    """
    digest = hashlib.sha256("/".join([str(seed), *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return a NumPy generator for one named use.

    Args:
        seed: seed of the run.
        *names: name of the use, in one or more parts.
    """
    return np.random.default_rng(derive(seed, *names))


@contextlib.contextmanager
def torch_seeded(seed: int, *names: str) -> Iterator[None]:
    """Run a block with torch's global generators seeded for one named use, and put their state back.

    Args:
        seed: seed of the run.
        *names: name of the use, in one or more parts.
    """
    import torch  # tables draw numbers too, and need no torch

    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(derive(seed, *names))
        yield
