"""Select and change rows of the linear layers behind the encoders, for L-CODEC."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from mmulbench import MultimodalModel, NotApplicable
from mmulbench.evaluation.pair_losses import EncodedPairs, Pools
from mmulbench.methods._fisher import pair_losses

Activations = dict[nn.Linear, Tensor]
"""(width,) mean output over pairs and tokens, by linear layer."""


@contextlib.contextmanager
def recorded(model: MultimodalModel) -> Iterator[Activations]:
    """Keep the mean output of every linear layer at its first call within the block."""
    found: Activations = {}

    def keep(layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, nn.Linear) and layer not in found:
            found[layer] = output.detach().flatten(0, -2).mean(0)

    with contextlib.ExitStack() as hooks:
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                hooks.callback(layer.register_forward_hook(keep).remove)
        yield found


@torch.no_grad()
def measure(model: MultimodalModel, pairs: EncodedPairs, pools: Pools | None) -> tuple[Activations, Tensor]:
    """Return the activations behind the encoders, and the mean pair loss.

    Args:
        model: model that judges the pairs.
        pairs: the pairs.
        pools: reference items.

    Raises:
        NotApplicable: No linear layer lies behind the encoders.
    """
    with recorded(model) as found:
        loss = pair_losses(model, pairs, pools).mean()
    if not found:
        raise NotApplicable("L-CODEC changes linear layers behind the encoders; this model has none")
    return found, loss


class Slices:
    """Holds some rows of linear layers, with their biases, as one vector.

    Args:
        layers: all layers, in the order in which their outputs are numbered.
        chosen: numbers of outputs; an output's row and bias are one slice.
    """

    def __init__(self, layers: list[nn.Linear], chosen: list[int]) -> None:
        places = [(layer, row) for layer in layers for row in range(layer.out_features)]
        self._rows = [places[number] for number in chosen]
        wanted = {id(layer) for layer, _ in self._rows}
        self.parameters = [
            parameter for layer in layers if id(layer) in wanted for parameter in layer.parameters()
        ]

    def vector(self, values: tuple[Tensor, ...]) -> Tensor:
        """Return (p,) the slices' part of one tensor for each of ``parameters``."""
        found = {id(key): value for key, value in zip(self.parameters, values, strict=True)}
        parts = [found[id(key)][row].flatten() for layer, row in self._rows for key in layer.parameters()]
        return torch.cat(parts)

    @torch.no_grad()
    def add(self, step: Tensor) -> None:
        """Add a (p,) vector to the slices' weights."""
        start = 0
        for layer, row in self._rows:
            for parameter in layer.parameters():
                size = parameter[row].numel()
                parameter[row] += step[start : start + size].view_as(parameter[row])
                start += size
