"""Compute gradients of single pairs' log-likelihoods, and the Fisher information made of them.

A task's own loss can depend on the whole batch (contrastive negatives), so that it says nothing of one pair.
Here a pair's loss is fixed: see `pair_losses`. The Fisher information is the empirical one, the mean of
g g^T over gradients g of single pairs; squaring the gradient of a batch instead would make importance depend
on the batch size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from mmulbench import (
    CONTRASTIVE,
    Batch,
    EncoderOutput,
    MultimodalModel,
    PairData,
    UnlearningProblem,
)
from mmulbench.evaluation.pair_losses import EncodedPairs, Pools, associations

REFERENCE_PAIRS = 64
"""Number of reference pairs; the same for every task, as a pair's loss should be."""


def reference_pools(problem: UnlearningProblem) -> Pools | None:
    """Return the original's outputs of a fixed draw of validation items, negatives of contrastive paths."""
    model, data = problem.original, problem.validation
    if CONTRASTIVE not in model.paths:
        return None
    order = problem.generator("reference").permutation(len(data.split))
    batch = data.batch(order[:REFERENCE_PAIRS])
    with torch.no_grad():
        a, b = problem.meter.run("reference", len(batch), model.encode_batch, batch)
    return Pools(a.pooled, b.pooled, batch.first, batch.second, data.relations)


def encoded(batch: Batch, sides: tuple[EncoderOutput, EncoderOutput]) -> EncodedPairs:
    """Return a batch's pairs with what the encoders say of both sides.

    Args:
        batch: b true pairs.
        sides: encoder outputs of both modalities.
    """
    return EncodedPairs(*sides, batch.first, batch.second, batch.targets.labels)


def pair_losses(model: MultimodalModel, pairs: EncodedPairs, pools: Pools | None) -> Tensor:
    """(n,) minus the log-likelihood of each of n aligned true pairs, summed over the association paths.

    Matching: -log p(belongs together). Classification: -log p(own class). Contrastive: cross-entropy of the
    pair against fixed reference items, mean of both directions. A pair's loss depends on no other pair.

    Args:
        model: gives the associations.
        pairs: the pairs.
        pools: reference items.
    """
    by_path = associations(model, pairs, pools)
    return torch.stack([one.loss for one in by_path.values()]).sum(0)


def mean_pair_loss(model: MultimodalModel, batch: Batch, pools: Pools | None) -> Tensor:
    """Return the mean of a batch's pair losses.

    Args:
        model: model that judges the pairs.
        batch: b true pairs.
        pools: reference items.

    Returns:
        A scalar.
    """
    return pair_losses(model, encoded(batch, model.encode_batch(batch)), pools).mean()


def pair_gradients(
    model: MultimodalModel, data: PairData, samples: int, pools: Pools | None, problem: UnlearningProblem
) -> Iterator[tuple[Tensor, ...]]:
    """Yield the gradients of single pairs' losses, for each pair a tuple over the model's parameters.

    Args:
        model: model in evaluation mode, with parameters that require gradients.
        data: set whose pairs are taken, in one epoch in random order.
        samples: largest number of pairs.
        pools: reference items.
        problem: problem whose meter is charged and which shows progress.
    """
    parameters = list(model.parameters())
    batches = itertools.islice(data.epoch(1, problem.generator("pairs")), samples)
    tick = problem.progress.counter(min(samples, len(data)), "gradients")
    for batch in batches:
        yield problem.meter.run("pair gradient", 1, gradient, model, batch, pools, parameters)
        tick()


def gradient(
    model: MultimodalModel, batch: Batch, pools: Pools | None, parameters: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Return the gradient of a batch's mean pair loss, zero for parameters it does not depend on.

    Args:
        model: model that judges the pairs.
        batch: b true pairs.
        pools: reference items.
        parameters: parameters to differentiate by.
    """
    return gradient_of(mean_pair_loss(model, batch, pools), parameters)


def gradient_of(loss: Tensor, parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradient of a scalar, zero for parameters it does not depend on.

    ``torch.autograd.grad`` is not used, since it fails where operations are counted and a parameter is itself
    the input of a module, as a prompt is.

    Args:
        loss: scalar.
        parameters: parameters to differentiate by.
    """
    torch.autograd.backward(loss, inputs=list(parameters))
    found = tuple(torch.zeros_like(p) if p.grad is None else p.grad for p in parameters)
    for parameter in parameters:
        parameter.grad = None
    return found


def flat(tensors: Iterable[Tensor]) -> Tensor:
    """Join all entries of tensors into one (p,) vector."""
    return torch.cat([tensor.flatten() for tensor in tensors])


def fisher_diagonal(
    model: MultimodalModel, data: PairData, samples: int, pools: Pools | None, problem: UnlearningProblem
) -> list[Tensor]:
    """Return the mean of squared pair gradients, one tensor for each parameter.

    Args:
        model: model in evaluation mode, with parameters that require gradients.
        data: set whose pairs the mean is over.
        samples: largest number of pairs.
        pools: reference items.
        problem: problem whose meter is charged and which shows progress.
    """
    sums = [torch.zeros_like(parameter) for parameter in model.parameters()]
    for found in pair_gradients(model, data, samples, pools, problem):
        for total, part in zip(sums, found, strict=True):
            total += part**2
    count = min(samples, len(data))
    return [total / count for total in sums]


def inverse_fisher_times(gradients: Tensor, damping: float, vector: Tensor) -> Tensor:
    """Return (p,) (damping * I + F)^-1 vector exactly, for F the mean of g g^T over n gradients g.

    By Woodbury's identity only an (n, n) system is solved.

    Args:
        gradients: (n, p) a gradient in each row.
        damping: positive number added to the diagonal.
        vector: (p,) vector.
    """
    count = len(gradients)
    gram = (gradients @ gradients.T).double()
    gram.diagonal().add_(damping * count)
    inner: Tensor = torch.linalg.solve(gram, (gradients @ vector).double())
    return (vector - gradients.T @ inner.to(vector.dtype)) / damping
