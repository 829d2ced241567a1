"""Compute a coefficient of conditional dependence, and select features by it.

T is the coefficient of Azadkia and Chatterjee (arXiv 1910.12327): 0 where y does not depend on z (given x),
1 where it is a function of z (and x), estimated from ranks of y and nearest neighbours. FOCI, theirs too,
adds the feature that says most, given those it has, until none says anything.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 256
"""Number of candidates compared at once; each takes an (m, m) matrix of distances."""


def select(features: Tensor, target: Tensor, most: int) -> list[int]:
    """Select the columns that the target depends on by FOCI, strongest first.

    Args:
        features: (m, p) m draws of p features.
        target: (m,) the draws of what depends on them.
        most: largest number of columns.

    Returns:
        Indices of at least one column.
    """
    distances = torch.zeros(len(target), len(target), device=target.device)
    chosen: list[int] = []
    scores = unconditional(features, target)
    while True:
        best = int(scores.argmax())
        if chosen and not float(scores[best]) > 0:
            return chosen
        chosen.append(best)
        if len(chosen) >= min(most, features.shape[1]):
            return chosen
        distances = distances + _squares(features[:, [best]])[0]
        scores = conditional(features, target, distances)
        scores[chosen] = float("-inf")


def unconditional(features: Tensor, target: Tensor) -> Tensor:
    """Return (p,) T(y, z) of every column z.

    Args:
        features: (m, p) draws of the columns.
        target: (m,) draws of y.
    """
    rank, from_above = _ranks(target)
    count = len(target)
    neighbours = _neighbours(features, torch.zeros(count, count, device=target.device))
    over = (count * torch.minimum(rank, rank[neighbours]) - from_above**2).sum(-1)
    return over / (from_above * (count - from_above)).sum()


def conditional(features: Tensor, target: Tensor, distances: Tensor) -> Tensor:
    """Return (p,) T(y, z | x) of every column z.

    Args:
        features: (m, p) draws of the columns.
        target: (m,) draws of y.
        distances: (m, m) squared distances between the draws of x.

    Returns:
        The coefficients; 0 where y is a function of x already.
    """
    rank, _ = _ranks(target)
    given = torch.minimum(rank, rank[_nearest(distances[None])[0]])
    neighbours = _neighbours(features, distances)
    over = (torch.minimum(rank, rank[neighbours]) - given).sum(-1)
    under = (rank - given).sum()
    return over / under if under > 0 else torch.zeros_like(over)


def _ranks(target: Tensor) -> tuple[Tensor, Tensor]:
    """Count for each draw how many are not above it, and how many are not below it."""
    below = (target[None, :] <= target[:, None]).sum(1)
    above = (target[None, :] >= target[:, None]).sum(1)
    return below.double(), above.double()


def _neighbours(features: Tensor, distances: Tensor) -> Tensor:
    """Return (p, m) each draw's nearest other draw in x and one column, for every column."""
    found = [_nearest(distances + _squares(part)) for part in torch.split(features, BLOCK, dim=1)]
    return torch.cat(found)


def _squares(features: Tensor) -> Tensor:
    """Return (p, m, m) squared distances between draws, column by column."""
    columns = features.T
    return (columns[:, :, None] - columns[:, None, :]) ** 2


def _nearest(distances: Tensor) -> Tensor:
    """Return (p, m) the index of each draw's nearest other draw."""
    own = torch.eye(distances.shape[-1], dtype=torch.bool, device=distances.device)
    return distances.masked_fill(own, float("inf")).argmin(-1)
