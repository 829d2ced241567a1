"""The processes that make one run together: which of them this is, and what they exchange.

All of them run the same program in lockstep: the same whole batches, the same random draws, the same
decisions. What differs is which rows of a model's calls each one computes (see
`mmulbench.runs.divided_model`), and that the first alone looks into the cache and the results, writes there,
and speaks. With one process nothing here does anything. All processes are on one machine, so what the first
one writes the others can read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from mmulbench.errors import MmulbenchError

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

T = TypeVar("T")
R = TypeVar("R")

COLLECTIVE_TIMEOUT = timedelta(days=30)
"""Time limit for collective operations. It is very long because a process may wait for another user's run. A
process that dies is noticed by the broken connection, or by the launcher, not by this limit."""

FAILURE_GRACE = timedelta(seconds=30)
"""Time limit for the other processes to fail as well, where one has failed."""


class Lost(MmulbenchError):
    """Says that another process of the run is gone.

    Its text is empty, so that nothing is printed: who started the processes knows which ended, and says so.
    """

    exit_code = 70


@dataclass
class _Team:
    """Holds what this process knows of all processes of the run.

    Attributes:
        rank: number of this process, from 0.
        count: number of processes.
        control: group in which plain values are exchanged, whatever the device.
        exchanges: number of times that tensors were exchanged.
    """

    rank: int
    count: int
    control: ProcessGroup
    exchanges: int = 0


_team: _Team | None = None
_left = False


def join(*, cpu: bool) -> None:
    """Make this process one of the run's; the environment says which, as accelerate's launcher sets it.

    Args:
        cpu: compute on the CPU; else on the GPU whose number is the process's.
    """
    global _team
    from accelerate import PartialState

    state = PartialState(cpu=cpu, timeout=COLLECTIVE_TIMEOUT)
    control = dist.new_group(backend="gloo", timeout=COLLECTIVE_TIMEOUT)
    assert control is not None
    _team = _Team(state.process_index, state.num_processes, control)


def leave() -> None:
    """Wait until all processes have come to the end of the run, and part."""
    global _team, _left
    if _team is not None:
        with _contact():
            dist.barrier(_team.control)
        dist.destroy_process_group()
        _team, _left = None, True


def has_left() -> bool:
    """Say whether all processes came to the end of the run."""
    return _left


def rank() -> int:
    """Return the number of this process; 0 is the first."""
    return 0 if _team is None else _team.rank


def count() -> int:
    """Return the number of processes that make this run."""
    return 1 if _team is None else _team.count


def is_first() -> bool:
    """Say whether this process is the one that writes and speaks."""
    return rank() == 0


def exchanges() -> int:
    """Return the number of times that tensors were exchanged so far."""
    return 0 if _team is None else _team.exchanges


@contextlib.contextmanager
def _contact() -> Iterator[None]:
    """Turn a broken connection into `Lost`.

    Raises:
        Lost: The body met a broken connection.
    """
    try:
        yield
    except RuntimeError as error:
        raise Lost from error


def from_first(value: T) -> T:
    """Return the first process's value, in all of them."""
    if _team is None:
        return value
    values = [value]
    with _contact():
        dist.broadcast_object_list(values, src=0, group=_team.control)
    return values[0]


def first_does(work: Callable[[], T]) -> T:
    """Have the first process alone do some work; its result, or its error, is everybody's."""
    if _team is None:
        return work()
    result: T | None = None
    error: Exception | None = None
    if is_first():
        try:
            result = work()
        except Exception as caught:
            error = caught
    result, error = from_first((result, error))
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def build_together(find_or_store: Callable[[Callable[[], T]], R], build: Callable[[], T]) -> R | None:
    """Have the first process look something up or store it, and all of them build it where it is missing.

    Args:
        find_or_store: what the first process alone does: look, lock, call the function it is given where
            something is missing, and store what that returns.
        build: computes what is to be stored; called in all processes at once, as a model is divided between
            them.

    Returns:
        What ``find_or_store`` returned in the first process; None in the others.
    """
    if _team is None:
        return find_or_store(build)
    if not is_first():
        while from_first(True):  # until the first says that nothing is left to build
            build()
        return None

    def announced() -> T:
        from_first(True)
        return build()

    found = find_or_store(announced)
    from_first(False)
    return found


def build_alone(find_or_store: Callable[[Callable[[], T]], R], build: Callable[[], T]) -> R | None:
    """Have the first process alone look something up, build it where it is missing, and store it.

    Args:
        find_or_store: as for `build_together`.
        build: computes what is to be stored, in the first process.

    Returns:
        What ``find_or_store`` returned in the first process; None in the others.
    """
    found: R | None = None

    def work() -> None:
        nonlocal found
        found = find_or_store(build)

    first_does(work)  # what was found may be large: it is not sent to the others
    return found


def meet() -> None:
    """Wait until all processes have come here."""
    if _team is not None:
        with _contact():
            dist.barrier(_team.control)


def total(value: float) -> float:
    """Return the sum of all processes' values."""
    if _team is None:
        return value
    found = torch.tensor(value, dtype=torch.float64)
    with _contact():
        dist.all_reduce(found, group=_team.control)
    return found.item()


def demand_same(value: str, what: str) -> None:
    """See that all processes came to the same value.

    Args:
        value: this process's value.
        what: what it is, for the message.

    Raises:
        RuntimeError: The values differ; raised in all processes.
    """
    if len(set(_of_all(value))) > 1:
        raise RuntimeError(
            f"the processes came to different {what}: something is drawn or decided that no seed fixes"
        )


def demand_all_failed(reason: str) -> None:
    """See that all processes failed here, and not this one alone, so that they can go on together.

    Raises:
        MmulbenchError: The others went on, or failed elsewhere.
    """
    if _team is None:
        return
    try:
        arrived = dist.barrier(_team.control, async_op=True)
        assert arrived is not None
        arrived.wait(FAILURE_GRACE)
    except RuntimeError as error:
        raise MmulbenchError(f"process {rank() + 1} of {count()} failed alone: {reason}") from error
    if len(set(_of_all(exchanges()))) > 1:
        raise MmulbenchError(f"the processes failed in different places, process {rank() + 1} here: {reason}")


def _of_all(value: T) -> list[T]:
    """Return every process's value, the first's first."""
    if _team is None:
        return [value]
    values = [value] * _team.count
    with _contact():
        dist.all_gather_object(values, value, group=_team.control)
    return values


def rows_of_all(part: Tensor) -> Tensor:
    """Return (count · s, …) every process's (s, …) rows, the first's first."""
    assert _team is not None
    whole = part.new_empty((_team.count * len(part), *part.shape[1:]))
    _team.exchanges += 1
    with _contact():
        dist.all_gather(list(whole.chunk(_team.count)), part.contiguous())
    return whole


def add_up(value: Tensor) -> None:
    """Replace a tensor by the sum of all processes'; bit for bit the same in all."""
    assert _team is not None
    _team.exchanges += 1
    with _contact():
        dist.all_reduce(value)
