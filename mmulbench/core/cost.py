"""Measure what unlearning costs: wall time, floating-point operations, peak memory, samples."""

from __future__ import annotations

import contextlib
import functools
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mmulbench import processes
from mmulbench.errors import OverBudget
from mmulbench.records.schema import Cost

T = TypeVar("T")
P = ParamSpec("P")

Shape = Sequence[int]


def _attention_flops(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    """Count two products: queries with keys, weights with values."""
    batch, heads, queries, width = query
    return 2 * batch * heads * queries * key[2] * (width + value[3])


def _attention_backward_flops(
    gradient: Shape, query: Shape, key: Shape, value: Shape, *_: Any, **__: Any
) -> int:
    """Count five products: the scores again, and the gradients of weights, values, queries and keys."""
    batch, heads, queries, width = query
    return 2 * batch * heads * queries * key[2] * (3 * width + 2 * value[3])


def _product_flops(first: Tensor, second: Tensor, *_: Any, **__: Any) -> int:
    """Count a product of dense matrices; one with a sparse matrix is free, as in torch's forward passes."""
    if not first.layout == second.layout == torch.strided:
        return 0
    return 2 * first.shape[0] * first.shape[1] * second.shape[1]


_product_flops._get_raw = True  # type: ignore[attr-defined]  # torch then hands over tensors, not shapes

_COUNTED_HERE: dict[Any, Any] = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward_flops,
    torch.ops.aten.mm: _product_flops,
}
"""Operation counts of kernels that torch's counter misses or takes for others: without them attention on a
CPU would be free, and the gradient of a graph layer on a GPU would cost what a dense matrix does."""


COUNTED = 4
"""How often the operations of a kind of work are counted: texts differ in length, and batches with them."""


@dataclass(frozen=True)
class _Work:
    """Holds what was counted of a kind of work.

    Attributes:
        times: how often it was counted.
        flops: floating-point operations of these times together.
        samples: pairs that they saw.
    """

    times: int = 0
    flops: float = 0.0
    samples: int = 0


class CostMeter:
    """Measures the block it surrounds; training loops report their work to it.

    Floating-point operations are counted the first `COUNTED` times that a kind of work is done. Later work of
    that kind is charged in proportion to its samples: to count every step would itself be a large cost.

    Args:
        device: device whose memory is measured.
        limit: number of floating-point operations after which `OverBudget` ends the work.
    """

    def __init__(self, device: torch.device, limit: float = math.inf) -> None:
        self._device = device
        self._limit = limit
        self._known: dict[str, _Work] = {}
        self._flops = 0.0
        self._seconds = 0.0
        self._samples = 0
        self._steps = 0
        self._peak: float | None = None
        self._earlier_peak = 0.0
        self._charged: set[str] = set()
        self._counter: FlopCounterMode | None = None
        self._uncounted = 0.0
        self._exchanged_aside = 0

    def __enter__(self) -> CostMeter:
        """Start the clock and reset the peak."""
        _reset_peak(self._device)
        self._start = self._now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the clock."""
        self._seconds += self._now() - self._start
        self._peak = max(_peak_mb(self._device), self._earlier_peak)

    def run(self, kind: str, samples: int, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that updates no parameter, and charge for it.

        Args:
            kind: name of this kind of work, which costs about the same for each sample whenever it is done.
            samples: number of pairs that the work sees.
            work: the function.
            *args: its arguments.
            **kwargs: its keyword arguments.

        Returns:
            The function's result.

        Raises:
            OverBudget: The limit is passed.
        """
        known = self._known.get(kind, _Work())
        if known.times >= COUNTED:
            result, flops = work(*args, **kwargs), known.flops / max(known.samples, 1) * samples
        else:
            result, flops = self._count(functools.partial(work, *args, **kwargs))
            self._known[kind] = _Work(known.times + 1, known.flops + flops, known.samples + samples)
        self._spend(flops)
        self._samples += samples
        return result

    def step(self, kind: str, samples: int, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that updates parameters, charge for it, and count it as a step.

        Args:
            kind: name of this kind of step, which costs about the same for each sample whenever it is taken.
            samples: number of pairs that the step sees.
            work: the function.
            *args: its arguments.
            **kwargs: its keyword arguments.

        Returns:
            The function's result.

        Raises:
            OverBudget: The limit is passed.
        """
        result = self.run(kind, samples, work, *args, **kwargs)
        self._steps += 1
        return result

    def charge(self, key: str, cost: Cost) -> None:
        """Charge shared work that was done earlier or elsewhere as if it were done here, once for each key.

        Args:
            key: name of the shared work.
            cost: what the work cost where it was done.

        Raises:
            OverBudget: The limit is passed.
        """
        if key in self._charged:
            return
        self._charged.add(key)
        self._seconds += cost.seconds
        self._spend(cost.flops or 0.0)
        self._samples += cost.samples

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Leave out what the block does, even within a step, because it is charged through `charge`."""
        start, counted, exchanged = self._now(), self._counted(), processes.exchanges()
        try:
            yield
        finally:
            self._seconds -= self._now() - start
            self._uncounted += self._counted() - counted
            self._exchanged_aside += processes.exchanges() - exchanged

    def cost(self) -> Cost:
        """Return the cost so far, which is complete once the block has ended.

        Returns:
            Seconds, floating-point operations, peak memory in MiB, samples (pairs) and optimiser steps.
        """
        return Cost(
            seconds=max(self._seconds, 0.0),
            flops=self._flops,
            peak_memory_mb=self._peak,
            samples=self._samples,
            steps=self._steps,
        )

    def state(self) -> dict[str, Any]:
        """Return what was counted so far, as JSON; call it within the block."""
        return {
            "known": {kind: asdict(work) for kind, work in self._known.items()},
            "flops": self._flops,
            "seconds": self._seconds + self._now() - self._start,
            "samples": self._samples,
            "steps": self._steps,
            "charged": sorted(self._charged),
            "peak": max(_peak_mb(self._device), self._earlier_peak),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from the state of another process, and forget what this process has counted."""
        self._known = {kind: _Work(**work) for kind, work in state["known"].items()}
        self._flops, self._samples, self._steps = state["flops"], state["samples"], state["steps"]
        self._seconds, self._start = state["seconds"], self._now()
        self._charged = set(state["charged"])
        self._earlier_peak = state["peak"]

    def _now(self) -> float:
        """Return the time in seconds, when a GPU has done all that it was given."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()

    def _spend(self, flops: float) -> None:
        self._flops += flops
        if self._flops > self._limit:
            raise OverBudget(f"{self._flops:.3g} of {self._limit:.3g} allowed floating-point operations")

    def _count(self, work: Callable[[], T]) -> tuple[T, float]:
        """Do some work, and return its result and its floating-point operations."""
        self._uncounted, self._exchanged_aside, exchanged = 0.0, 0, processes.exchanges()
        with FlopCounterMode(display=False, custom_mapping=_COUNTED_HERE) as self._counter:
            result = work()
        flops = self._counted() - self._uncounted
        self._counter = None
        # Work that all processes did whole counts once; work they divided, in all of them together.
        divided = processes.exchanges() - exchanged > self._exchanged_aside
        return result, processes.total(flops) if divided else flops

    def _counted(self) -> float:
        return 0.0 if self._counter is None else self._counter.get_total_flops()


_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")  # Linux: sets the peak resident size to the current one


def _peak_mb(device: torch.device) -> float:
    """Return peak memory since the reset in MiB, or that of the whole process where it cannot be reset."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
