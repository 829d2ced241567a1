"""The global random generators of torch, numpy and Python, which what is tried must leave alone."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch


def global_states() -> dict[str, object]:
    """Return the state of every global generator by its package, to be compared with a later one."""
    name, keys, *rest = np.random.get_state()
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (name, np.asarray(keys).tobytes(), *rest),
        "random": random.getstate(),
    }


def moved_since(before: dict[str, object]) -> tuple[str, ...]:
    """Return the packages whose global generator is no longer in the state that `global_states` gave."""
    after = global_states()
    return tuple(name for name in before if before[name] != after[name])


@contextlib.contextmanager
def global_seeds(seed: int) -> Iterator[None]:
    """Run a block with other global seeds, and put the generators back."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
