"""What unlearning costs: wall time, floating-point operations, peak memory, samples."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import torch
from torch.utils.flop_counter import FlopCounterMode

from mmulbench.results import Cost

T = TypeVar("T")


class CostMeter:
    """Measures the block it surrounds; training loops report their steps to it.

    Floating-point operations are counted on the first step of every kind of step, and every later step of
    that kind is charged in proportion to its samples: counting each step would itself be a large cost.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._per_sample: dict[str, float] = {}
        self._flops = 0.0
        self._seconds = 0.0
        self._samples = 0
        self._steps = 0
        self._peak: float | None = None
        self._charged: set[str] = set()

    def __enter__(self) -> CostMeter:
        """Start the clock and reset the peak."""
        _reset_peak(self._device)
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the clock."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self._seconds += time.perf_counter() - self._start
        self._peak = _peak_mb(self._device)

    def step(self, kind: str, samples: int, work: Callable[[], T], *, optimiser_step: bool = True) -> T:
        """Run one step and charge it.

        Args:
            kind: steps of one kind cost the same for each sample.
            samples: pairs the step sees.
            work: does the step.
            optimiser_step: whether it updates parameters.
        """
        if kind in self._per_sample:
            result = work()
        else:
            with FlopCounterMode(display=False) as counter:
                result = work()
            self._per_sample[kind] = counter.get_total_flops() / max(samples, 1)
        self._flops += self._per_sample[kind] * samples
        self._samples += samples
        self._steps += optimiser_step
        return result

    def charge(self, key: str, cost: Cost) -> None:
        """Charge shared work, computed earlier or elsewhere, as if it had been done here; each key once."""
        if key in self._charged:
            return
        self._charged.add(key)
        self._seconds += cost.seconds
        self._flops += cost.flops or 0.0
        self._samples += cost.samples

    def discount(self, seconds: float) -> None:
        """Take back wall seconds that were spent inside the block but are charged through `charge`."""
        self._seconds -= seconds

    def cost(self) -> Cost:
        """The cost so far; whole once the block has ended."""
        return Cost(
            seconds=max(self._seconds, 0.0),
            flops=self._flops,
            peak_memory_mb=self._peak,
            samples=self._samples,
            steps=self._steps,
        )


_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")  # Linux: sets the peak resident size to the current one


def _peak_mb(device: torch.device) -> float:
    """Peak memory since the reset, MiB; where the system cannot reset it, the process's whole life."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
