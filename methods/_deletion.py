"""Put GNNDelete's operators, matrices that act on some nodes only, behind a graph encoder's layers."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor, nn

from mmulbench import Inputs
from mmulbench.backbones.gtnn import GraphEncoder


class Deletion(nn.Module):
    """Applies a layer's norm, and behind it z <- z W to the nodes of a mask; W is the identity at first.

    Args:
        norm: the norm that it takes the place of.
        mask: (n,) bool, the nodes that W acts on.
    """

    mask: Tensor

    def __init__(self, norm: nn.LayerNorm, mask: Tensor) -> None:
        super().__init__()
        self.norm = norm
        self.weight = nn.Parameter(torch.eye(norm.normalized_shape[0], device=mask.device))
        self.register_buffer("mask", mask)

    def forward(self, nodes: Tensor) -> Tensor:
        """Return the (n, width) nodes behind norm and operator."""
        normed = self.norm(nodes)
        return torch.where(self.mask[:, None], normed @ self.weight, normed)


def with_operators(graph: GraphEncoder, seeds: Tensor, inputs: Inputs) -> list[Deletion]:
    """Put an operator behind every layer of a graph encoder; layer l's acts within l hops of the seeds.

    Args:
        graph: encoder that is changed in place.
        seeds: nodes of the deleted pairs.
        inputs: inputs of any items; the edges are read.

    Returns:
        The operators, first layer first.
    """
    from torch_geometric.utils import k_hop_subgraph

    count = len(inputs["names"] if "names" in inputs else inputs["name_ids"])
    operators = []
    for place, norm in enumerate(list(graph.norms)):
        mask = torch.zeros(count, dtype=torch.bool, device=seeds.device)
        mask[k_hop_subgraph(seeds, place + 1, inputs["edges"], num_nodes=count)[0]] = True
        assert isinstance(norm, nn.LayerNorm)
        operators.append(Deletion(norm, mask))
        graph.norms[place] = operators[-1]
    return operators


def layer_outputs(graph: GraphEncoder, inputs: Inputs) -> list[Tensor]:
    """Return the (n, width) nodes of every layer; no gradient flows from a layer to those before it.

    Args:
        graph: the graph encoder.
        inputs: inputs of any items; nodes and edges are read.
    """
    found: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
        found.append(output)
        return output.detach()

    with contextlib.ExitStack() as hooks:
        for norm in graph.norms:
            hooks.callback(norm.register_forward_hook(keep).remove)
        graph.nodes(inputs)
    return found
