"""Score deleted pairs by what no training on them has touched: in closed form, from clean features and Dr.

A model that never saw a pair still judges it: by what its items look like, and by what it learned of others.
`clean_scores` predicts the order of these judgements. Features that read a deleted item through the original
would fit held-out pairs better and retrain's order of the deleted ones worse, so none is used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mmulbench import CONTRASTIVE, RetrievalModel, UnlearningProblem
from mmulbench.core.data import Inputs, Integers, Split
from mmulbench.core.encoding import ITEMS, ItemEncoder

RIDGE = 0.25
"""Penalty of ridge regressions, as a share of their number of rows, on standardised features."""

BANK = 256
"""Most retained items that a text is described by."""

COMPONENTS = 6
"""Principal components of each part whose products say of a pair which class it has."""

HOPS = 2
"""How far a node of a graph is described by the mean of its neighbours, of theirs, …"""

Regression = Callable[[Tensor], Tensor]


def clean_scores(problem: UnlearningProblem) -> Tensor:
    """Return (n,) scores of the n pairs of Df: higher where a model that never saw the pair would be surer.

    Retrieval: a ridge regression on Dr tells what texts an item would have, another what a text says, both as
    similarities that the original sees between texts and retained items; the score is the cosine of the two.
    Classification: a ridge regression on Dr tells the class from products of clean features of each two
    parts; the score is by how much the pair's own class leads.

    Args:
        problem: the problem; its original is asked about items of Dr alone.

    Raises:
        NotApplicable: Inputs are not frozen features, and the initial weights are not known.
    """
    if problem.forget.split.label is not None:
        return _class_scores(problem)
    return _association_scores(problem)


def _association_scores(problem: UnlearningProblem) -> Tensor:
    retain, forget = problem.retain.split, problem.forget.split
    (a, b), (units, texts) = problem.original.modalities, (retain.units, np.unique(retain.second))
    said = _profiles(problem, texts)
    means = torch.zeros(len(units), said.shape[1], dtype=said.dtype)
    place = torch.from_numpy(np.searchsorted(units, retain.first))
    means.index_add_(0, place, said[np.searchsorted(texts, retain.second)])
    means /= torch.bincount(place)[:, None]
    expected = ridge(_features(problem, a, units), means)(_features(problem, a, forget.first))
    stated = ridge(_features(problem, b, texts), said)(_features(problem, b, forget.second))
    return torch.nn.functional.cosine_similarity(expected, stated)


def _profiles(problem: UnlearningProblem, texts: Integers) -> Tensor:
    """Return (t, k) standardised descriptions of retained texts.

    They are the original's similarities to retained items, or clean features where it has no similarity.
    """
    original, outputs, (a, b) = problem.original, problem.outputs, problem.original.modalities
    if CONTRASTIVE not in original.paths or not isinstance(original, RetrievalModel):
        return _standard(_features(problem, b, texts))
    bank = problem.generator("bank").permutation(problem.retain.split.units)[:BANK]
    with torch.no_grad():
        first, second = (outputs.unimodal(m, torch.from_numpy(i)) for m, i in ((a, bank), (b, texts)))
        return _standard(original.similarity(first, second).T.double().cpu())


def _class_scores(problem: UnlearningProblem) -> Tensor:
    retain, forget = problem.retain.split, problem.forget.split
    assert retain.label is not None and forget.label is not None
    parts = [_pair_parts(problem, split) for split in (retain, forget)]
    bases = [_components(part) for part in parts[0]]
    known, asked = ([(x - m) @ v for x, (m, v) in zip(of, bases, strict=True)] for of in parts)
    labels = torch.from_numpy(forget.label)
    classes = int(max(retain.label.max(), forget.label.max())) + 1
    truth = torch.nn.functional.one_hot(torch.from_numpy(retain.label), classes).double()
    found = ridge(_products(known), truth)(_products(asked))
    own = found.gather(1, labels[:, None])[:, 0]
    return own - found.scatter(1, labels[:, None], -torch.inf).amax(1)


def _components(part: Tensor) -> tuple[Tensor, Tensor]:
    """Return the (d,) mean and the (d, k) first principal axes of (n, d) rows."""
    mean = part.mean(0)
    _, axes = torch.linalg.eigh((part - mean).T @ (part - mean))
    return mean, axes[:, -COMPONENTS:]


def _products(parts: Sequence[Tensor]) -> Tensor:
    """Return all parts beside the products of each two of them, component by component."""
    pairs = itertools.combinations(parts, 2)
    return torch.cat([*parts, *((x[:, :, None] * y[:, None]).flatten(1) for x, y in pairs)], 1)


def ridge(x: Tensor, y: Tensor) -> Regression:
    """Fit a linear map with an intercept.

    Args:
        x: (n, d) features, which are standardised.
        y: (n, k) what they should tell.

    Returns:
        A function of (m, d) features that returns (m, k).
    """
    mean, scale, centre = x.mean(0), x.std(0).clamp(min=1e-6), y.mean(0)
    z = (x - mean) / scale
    penalty = RIDGE * len(z) * torch.eye(z.shape[1], dtype=z.dtype)
    weights = torch.linalg.solve(z.T @ z + penalty, z.T @ (y - centre))
    return lambda new: (new - mean) / scale @ weights + centre


def _standard(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / x.std(0).clamp(min=1e-6)


def _pair_parts(problem: UnlearningProblem, split: Split) -> list[Tensor]:
    a, b = problem.original.modalities
    return [*clean_parts(problem, a, split.first), *clean_parts(problem, b, split.second)]


def _features(problem: UnlearningProblem, modality: str, items: Integers) -> Tensor:
    return torch.cat(clean_parts(problem, modality, items), 1)


def clean_parts(problem: UnlearningProblem, modality: str, items: Integers) -> list[Tensor]:
    """Return clean features of items, an (n, d) tensor for each of their parts (images of a group, nodes).

    They are what a frozen encoder made of the items before any training: means of tokens, or a node's name
    with the means of its neighbours'. Where the inputs are raw, they are the initial model's outputs.

    Args:
        problem: gives inputs and the initial model.
        modality: name of the modality.
        items: (n,) items of that modality, repeated or not.

    Raises:
        NotApplicable: Inputs are raw, and the initial weights are not known.
    """
    distinct, place = np.unique(items, return_inverse=True)
    features, wanted = problem.retain.features, torch.from_numpy(distinct)
    one = features.gather(modality, wanted[:1])
    if not ({"tokens", "names"} & one.keys()):
        encoder = ItemEncoder(problem.fresh_model(problem.seed).eval(), features)
        return [encoder.pooled(modality, wanted).double().cpu()[place]]
    if "names" in one:
        return [part[place] for part in _nodes(features.gather(modality, wanted))]
    blocks = [_token_means(features.gather(modality, block)) for block in torch.split(wanted, ITEMS)]
    return [torch.cat(part)[place] for part in zip(*blocks, strict=True)]


def _token_means(inputs: Inputs) -> list[Tensor]:
    """Return (n, d) means of the real tokens of each part of n items."""
    tokens = inputs["tokens"].double().cpu()
    mask = inputs["mask"].cpu() if "mask" in inputs else torch.ones(tokens.shape[:-1], dtype=torch.bool)
    weight = mask[..., None].to(tokens.dtype)
    means = (tokens * weight).sum(-2) / weight.sum(-2).clamp(min=1)
    return [means] if means.ndim == 2 else [*means.unbind(1)]


def _nodes(inputs: Inputs) -> list[Tensor]:
    """Return (n, d) names of each node of n items, then means of their neighbours' names, and of theirs."""
    x, node = inputs["names"].double().cpu(), inputs["node"].cpu()
    source, target = inputs["edges"].cpu()
    degree = torch.bincount(target, minlength=len(x)).clamp(min=1)[:, None]
    node = node.reshape(len(node), -1)
    found = [*x[node].unbind(1)]
    for _ in range(HOPS):
        x = torch.zeros_like(x).index_add_(0, target, x[source]) / degree
        found += x[node].unbind(1)
    return found
