"""GNNDelete: small trained operators behind frozen graph layers, near the deleted pairs only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from mmulbench import (
    METHODS,
    Batch,
    Descent,
    GradientConfig,
    Inputs,
    Learner,
    MultimodalModel,
    NotApplicable,
    PairData,
    Search,
    Task,
    UnlearningProblem,
)
from mmulbench.backbones.gtnn import GraphEncoder
from mmulbench.methods._deletion import Deletion, layer_outputs, with_operators

mse = nn.functional.mse_loss


@METHODS.register("gnndelete")
class GnnDelete(Descent):
    """For every graph layer l: alpha * MSE(z_Df, z0_random) + (1 - alpha) * MSE(z_near, z0_near).

    Cheng et al. 2023, arXiv 2302.13406. z are layer l's nodes behind a trained matrix W_l, which acts on the
    nodes within l hops of the deleted pairs; z0 are the original's. The first term moves a deleted pair's
    nodes to where random nodes were, the second keeps all other nodes that W_l acts on. Only the W_l train,
    each by its own layer's loss; they stay part of the unlearned model, whose ``state_dict`` has them under
    ``graph.norms``. The paper deletes edges of the graph; here a deleted pair's nodes stand for an edge's
    ends, and random nodes are drawn place by place from pairs of Dr, so that a gene moves to where genes are.

    The losses are those of the released code (mims-harvard/GNNDelete, loss type both_layerwise). There W_l
    starts at 1 / 1,000 everywhere, which erases what the nodes were, here as the identity; there random nodes
    are ends of edges that do not exist, drawn once, here they are drawn anew each step; and there the loss of
    the second layer also reaches W_1, a step late.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Alpha is the released code's default; the rest is shared by all methods.

        Attributes:
            alpha: weight of moving deleted pairs against keeping their neighbours.
        """

        alpha: Annotated[float, Field(ge=0, le=1), Search(0.1, 0.9)] = 0.5

    config: Config

    @classmethod
    def applies_to(cls, task: Task) -> str | None:
        """Apply to tasks with a graph alone."""
        if task.modalities[0] == "graph":
            return None
        return f"GNNDelete changes the layers of a graph network; {task.modalities[0]}s have no graph"

    def start(self, problem: UnlearningProblem) -> MultimodalModel:
        """Return a copy of the original with operators in its graph encoder.

        Raises:
            NotApplicable: The model has no graph encoder like gtnn's.
        """
        model = super().start(problem)
        inputs = graph_inputs(problem.forget)
        with_operators(graph_encoder(model), torch.unique(inputs["node"]), inputs)
        return model

    def learner(self, model: MultimodalModel, problem: UnlearningProblem) -> Learner:
        """Return AdamW over the operators alone."""
        weights = [operator.weight for operator in operators(model)]
        return Learner(model, weights, lr=self.config.lr, weight_decay=0.0, meter=problem.meter)

    def batches(self, problem: UnlearningProblem) -> tuple[Iterator[tuple[Batch, ...]], int]:
        """Return batches of Df."""
        epochs, size = self.config.epochs, problem.batch_size(self.config.batch_size)
        return problem.forget_epochs(epochs, size), problem.forget.steps(size)

    def loss_of(self, model: MultimodalModel, problem: UnlearningProblem) -> Callable[..., Tensor]:
        """Return ``loss`` with the original's nodes at hand."""
        model.eval()  # targets have no dropout, so that what is kept could not be reached with it
        deleted, kept = torch.unique(graph_inputs(problem.forget)["node"]), graph_inputs(problem.retain)
        with torch.no_grad():
            graph = graph_encoder(problem.original)
            before = problem.meter.run("original's nodes", len(kept["node"]), layer_outputs, graph, kept)
        return lambda batch: self.loss(model, batch, before, deleted, kept["node"])

    def loss(
        self, model: MultimodalModel, batch: Batch, before: list[Tensor], deleted: Tensor, retained: Tensor
    ) -> Tensor:
        """Return the sum over layers.

        Args:
            model: model with operators.
            batch: b pairs of Df.
            before: (n, width) nodes of the original, by layer.
            deleted: nodes of all pairs of Df.
            retained: (r, k) nodes of Dr's pairs.

        Returns:
            A scalar.
        """
        inputs = batch.inputs("graph")
        nodes = inputs["node"]
        rows = torch.randint(len(retained), nodes.shape, device=nodes.device)
        random = retained.gather(0, rows)
        terms = []
        after = layer_outputs(graph_encoder(model), inputs)
        for operator, now, then in zip(operators(model), after, before, strict=True):
            near = operator.mask.clone()
            near[deleted] = False
            terms.append(self.config.alpha * mse(now[nodes], then[random]))
            if near.any():
                terms.append((1 - self.config.alpha) * mse(now[near], then[near]))
        return torch.stack(terms).sum()


def graph_encoder(model: MultimodalModel) -> GraphEncoder:
    """Return the part of a model that the operators go into.

    Raises:
        NotApplicable: The model has none.
    """
    graph = getattr(model, "graph", None)
    if not isinstance(graph, GraphEncoder):
        raise NotApplicable(
            f"GNNDelete needs the graph encoder of backbone gtnn, not a {type(model).__name__}"
        )
    return graph


def operators(model: MultimodalModel) -> list[Deletion]:
    """List the model's operators, first layer first."""
    return [module for module in graph_encoder(model).norms if isinstance(module, Deletion)]


def graph_inputs(data: PairData) -> Inputs:
    """Return the graph, and the (n, k) nodes of a set's pairs."""
    return data.features.gather("graph", torch.from_numpy(data.split.first))
