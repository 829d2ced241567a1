"""Models whose rows are divided between the processes of a run (`mmulbench.processes`).

Losses look across a whole batch (contrastive similarities, hard negatives), so that averaging the gradients
of parts of a batch, as data parallel training usually does, would be another algorithm. Here every process
has the whole batch and computes the whole loss. Only ``encode`` and ``fuse``, which treat each row by itself
and are nearly all of the work, are divided: a process computes its share of the rows and gets the others'.

The pattern is that of Megatron's copy, scatter and gather regions. Parameters pass a copy (their gradients
are added up on the way back), inputs a scatter (each process takes its rows; the gradient is gathered), and
outputs a gather (all rows are put together; each process takes its rows of the gradient). Gradients are so
whole and the same everywhere but within such a call: whoever differentiates, by whatever means, gets the
gradient of the whole batch, and no optimiser or method has to know.

Results equal those of one process up to rounding, where no dropout is. With dropout a process draws masks for
its own rows only, the same ones as the others for theirs, so that single numbers differ; the processes still
agree.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import fields
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call

from mmulbench import processes
from mmulbench.core.data import Inputs
from mmulbench.core.model import EncoderOutput, MultimodalModel

T = TypeVar("T")

_inside = ContextVar("inside a divided call", default=False)


def divided(model: MultimodalModel, whole: frozenset[str]) -> MultimodalModel:
    """Have a model's ``encode`` and ``fuse`` divided between the processes; with one process nothing changes.

    The model gets a subclass of its own class, so that its weights keep their names, and copies of it are
    divided as well.

    Args:
        model: the model, changed in place.
        whole: names of inputs that belong to all items together, such as a graph's edges.
    """
    if processes.count() > 1:
        model.__class__ = _divided_class(type(model), whole)
    return model


@functools.cache
def _divided_class(cls: type[MultimodalModel], whole: frozenset[str]) -> type[MultimodalModel]:
    """Return a subclass of a model's class whose calls pass `_Divided` first."""
    return type(cls.__name__, (_Divided, cls), {"_whole": whole, "__doc__": cls.__doc__})


class _Divided(MultimodalModel):
    """Divides the calls of the class that follows it among the bases."""

    _whole: ClassVar[frozenset[str]]

    def encode(self, modality: str, inputs: Inputs) -> EncoderOutput:
        """Encode as the model does, each process its rows."""
        work = functools.partial(super().encode, modality)  # type: ignore[safe-super]
        by_row = [value for name, value in inputs.items() if name not in self._whole]
        rows = len(by_row[0]) if by_row else 0
        if not _divides(self, rows):
            return work(inputs)
        own = {name: value if name in self._whole else _own(value) for name, value in inputs.items()}
        found = _compute(self, work, own)
        return EncoderOutput(*(_gathered(value, rows) for value in _parts(found)))

    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """Fuse as the model does, each process its rows."""
        work = super().fuse  # type: ignore[safe-super]
        if not _divides(self, len(a)):
            return work(a, b)
        own = (EncoderOutput(*(_own(value) for value in _parts(side))) for side in (a, b))
        return _gathered(_compute(self, work, *own), len(a))


def _divides(model: nn.Module, rows: int) -> bool:
    """Say whether a call is divided; otherwise every process computes all of it.

    It is not divided where there are fewer rows than processes, within a divided call, and while hooks are
    registered, as by L-CODEC: a hook would see only this process's share of the rows.
    """
    return rows >= processes.count() and not _inside.get() and not any(map(_is_hooked, model.modules()))


def _is_hooked(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
    return any(hooks) or bool(module._backward_pre_hooks)


def _compute(model: MultimodalModel, work: Callable[..., T], *given: Any) -> T:
    """Call a model's function on this process's rows."""
    training = {name: value for name, value in model.named_parameters() if value.requires_grad}
    token = _inside.set(True)
    try:
        if not training or not torch.is_grad_enabled():
            return work(*given)
        entered = _Copy.apply(*training.values())  # type: ignore[no-untyped-call]
        named = {f"model.{name}": value for name, value in zip(training, entered, strict=True)}
        return functional_call(_Call(model, work), named, given)  # type: ignore[no-any-return]
    finally:
        _inside.reset(token)


class _Call(nn.Module):
    """Wraps a model's function as a module, so that torch can call it with other parameters."""

    def __init__(self, model: MultimodalModel, work: Callable[..., Any]) -> None:
        super().__init__()
        self.model = model
        self.work = work

    def forward(self, *given: Any) -> Any:
        """Call it."""
        return self.work(*given)


def _parts(encoded: EncoderOutput) -> Iterable[Tensor]:
    return (getattr(encoded, field.name) for field in fields(encoded))


def _own(whole: Tensor) -> Tensor:
    return _Scatter.apply(whole)  # type: ignore[no-any-return, no-untyped-call]


def _gathered(part: Tensor, rows: int) -> Tensor:
    if part.dtype == torch.bool:  # not every backend exchanges it
        return _gathered(part.to(torch.uint8), rows).bool()
    return _Gather.apply(part, rows)  # type: ignore[no-any-return, no-untyped-call]


def _share(whole: Tensor) -> Tensor:
    """Take this process's rows; all have equally many, the last processes the last row more than once."""
    size = -(-len(whole) // processes.count())
    start = processes.rank() * size
    if start + size <= len(whole):
        return whole[start : start + size]
    return whole[torch.arange(start, start + size, device=whole.device).clamp_(max=len(whole) - 1)]


class _Copy(torch.autograd.Function):
    """Passes parameters on as they are; their gradient is the sum of all processes'."""

    @staticmethod
    def forward(ctx: Any, *parameters: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return tuple(parameter.view_as(parameter) for parameter in parameters)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        there = [gradient for gradient in gradients if gradient is not None]
        if not there:
            return gradients
        flat = torch.cat([gradient.flatten() for gradient in there])
        processes.add_up(flat)
        parts = iter(torch.split(flat, [gradient.numel() for gradient in there]))
        return tuple(
            None if gradient is None else next(parts).view_as(gradient).to(gradient.dtype)
            for gradient in gradients
        )


class _Scatter(torch.autograd.Function):
    """Takes this process's rows; the gradient is put together from all processes' rows."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor) -> Tensor:
        ctx.rows = len(whole)
        return _share(whole)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return processes.rows_of_all(gradient)[: ctx.rows]


class _Gather(torch.autograd.Function):
    """Puts all processes' rows together; the gradient is this process's rows of it."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, rows: int) -> Tensor:
        ctx.size = len(part)
        return processes.rows_of_all(part)[:rows]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        start = processes.rank() * ctx.size
        own = gradient[start : start + ctx.size]
        missing = ctx.size - len(own)
        return (torch.cat([own, own.new_zeros((missing, *own.shape[1:]))]) if missing else own), None
