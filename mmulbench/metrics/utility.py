"""Measure retrieval: recall at k in both directions, and what random scores would reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom

from mmulbench.core.observations import Estimate
from mmulbench.errors import Diverged

CUTOFFS = (1, 5, 10)
"""Values of k in R@k that image-text retrieval papers report (such as ALBEF, arXiv 2107.07651)."""


def first_hit_ranks(
    scores: npt.NDArray[np.floating[Any]], relevant: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """Rank each query's best-placed relevant item, ties counted against the model.

    The rank is the number of irrelevant items that score at least as high as the best relevant one, so a
    constant model ranks last, not first. Rows are independent: large galleries can be ranked in blocks of
    queries. Infinite scores are allowed, such as -inf for items left out of a re-ranking.

    Args:
        scores: (q, g) association of query and gallery item, higher is better.
        relevant: (q, g) which gallery items are right answers.

    Returns:
        (q,) 0-based ranks, 0 where the best relevant item beats every irrelevant one.

    Raises:
        ValueError: the shapes differ, or a query has no relevant item.
        Diverged: a score is NaN.

    Example:
        >>> import numpy as np
        >>> scores = np.array([[0.9, 0.1, 0.5], [0.3, 0.3, 0.3]])
        >>> first_hit_ranks(scores, np.array([[True, False, False], [True, False, False]]))
        array([0, 2])
    """
    if scores.ndim != 2 or scores.shape != relevant.shape:
        raise ValueError(
            f"retrieval scores {scores.shape} and relevance {relevant.shape} must both be (queries, gallery)"
        )
    if np.isnan(scores).any():
        raise Diverged("retrieval scores contain NaN; the model has diverged: lower its learning rate")
    without = np.flatnonzero(~relevant.any(axis=1))
    if without.size:
        raise ValueError(
            f"{without.size} of {len(scores)} queries have no relevant item (first: row {without[0]}); "
            "leave them out or add their answers to the gallery"
        )
    best = np.max(scores, axis=1, where=relevant, initial=-np.inf, keepdims=True)
    return np.asarray(np.count_nonzero((scores >= best) & ~relevant, axis=1), dtype=np.intp)


def recall_at(ranks: npt.NDArray[np.integer[Any]], k: int) -> float:
    """Return the share of queries with a relevant item among the first k (R@k).

    Args:
        ranks: (q,) 0-based ranks of `first_hit_ranks`.
        k: cut-off, at least 1.

    Returns:
        A share in [0, 1].

    Raises:
        ValueError: there are no queries.

    Example:
        >>> import numpy as np
        >>> round(recall_at(np.array([0, 2, 7]), k=5), 3)
        0.667
    """
    if ranks.size == 0:
        raise ValueError("recall needs at least one query; the split is empty")
    return float(np.mean(ranks < k))


def chance_recall_at(
    gallery: int | npt.NDArray[np.integer[Any]], relevant_counts: npt.NDArray[np.integer[Any]], k: int
) -> float:
    """Compute the expected R@k of random scores without ties (hypergeometric, exact).

    Args:
        gallery: number of items searched, of all queries or (q,) of each.
        relevant_counts: (q,) relevant items of each query, each between 1 and `gallery`.
        k: cut-off, at least 1; a k beyond the gallery finds everything.

    Returns:
        The mean over queries of P(at least one relevant item among k drawn without replacement).

    Raises:
        ValueError: there are no queries, or a count lies outside [1, gallery].

    Example:
        >>> import numpy as np
        >>> round(chance_recall_at(10, np.array([1, 1]), k=5), 3)
        0.5
    """
    if relevant_counts.size == 0 or relevant_counts.min() < 1 or np.any(relevant_counts > gallery):
        raise ValueError(
            f"chance recall needs queries with between 1 and {np.min(gallery)} (the gallery) relevant items"
        )
    return float(np.mean(hypergeom.sf(0, gallery, relevant_counts, np.minimum(k, gallery))))


def unit_recalls(
    first: npt.NDArray[np.integer[Any]],
    second: npt.NDArray[np.integer[Any]],
    first_ranks: npt.NDArray[np.integer[Any]],
    second_ranks: npt.NDArray[np.integer[Any]],
) -> npt.NDArray[np.float64]:
    """Compute the recalls of each unit: those of its own query, and the mean over those of its pairs' texts.

    Args:
        first: (n,) first-modality item of each pair, its unit.
        second: (n,) second-modality item of each pair.
        first_ranks: (u,) `first_hit_ranks` of the distinct first-modality items, ascending.
        second_ranks: (t,) those of the distinct second-modality items, ascending.

    Returns:
        (u, 2, 3) recalls by unit, by direction and by cut-off.

    Example:
        >>> import numpy as np
        >>> first, second = np.array([7, 7, 8]), np.array([3, 4, 4])
        >>> found = unit_recalls(first, second, np.array([0, 9]), np.array([0, 2]))
        >>> found[0].tolist()
        [[1.0, 1.0, 1.0], [0.5, 1.0, 1.0]]
    """
    cutoffs = np.array(CUTOFFS)
    _, unit = np.unique(first, return_inverse=True)
    _, text = np.unique(second, return_inverse=True)
    own = (first_ranks[:, None] < cutoffs).astype(np.float64)
    of_texts = np.zeros_like(own)
    np.add.at(of_texts, unit, second_ranks[text][:, None] < cutoffs)
    return np.stack([own, of_texts / np.bincount(unit)[:, None]], axis=1)


@dataclass(frozen=True)
class RetrievalUtility:
    """Holds the recalls of both directions, by cut-off.

    Attributes:
        first_to_second: queries of the first modality (image), gallery of the second (text).
        second_to_first: the other way round.
    """

    first_to_second: Mapping[int, Estimate]
    second_to_first: Mapping[int, Estimate]

    def _all(self) -> Iterator[Estimate]:
        yield from self.first_to_second.values()
        yield from self.second_to_first.values()

    @property
    def mean_recall(self) -> float:
        """Unweighted mean of R@1, R@5 and R@10 in both directions, in [0, 1]."""
        return float(np.mean([recall.value for recall in self._all()]))

    @property
    def chance(self) -> float:
        """Mean recall that random scores would reach."""
        return float(np.mean([recall.chance for recall in self._all()]))

    @property
    def n(self) -> int:
        """Number of queries, both directions together."""
        return sum(next(iter(way.values())).n for way in (self.first_to_second, self.second_to_first))

    def named(self, first: str, second: str) -> dict[str, Estimate]:
        """Return the recalls under their usual names.

        Args:
            first: the first modality, such as image.
            second: the second modality, such as text.

        Returns:
            `i2t_r@1` … `t2i_r@10`; whole names replace the initials where both initials are the same.

        Example:
            >>> import numpy as np
            >>> ranks, ones = np.array([0, 3]), np.array([1, 1])
            >>> counts = {'first_relevant_counts': ones, 'second_relevant_counts': ones}
            >>> found = retrieval_utility(ranks, ranks, **counts, first_gallery=9, second_gallery=9)
            >>> found.named('image', 'text')['i2t_r@1'].value
            0.5
        """
        a, b = (first[0], second[0]) if first[0] != second[0] else (first, second)
        ways = {f"{a}2{b}": self.first_to_second, f"{b}2{a}": self.second_to_first}
        return {f"{way}_r@{k}": recall for way, recalls in ways.items() for k, recall in recalls.items()}


def retrieval_utility(
    first_to_second_ranks: npt.NDArray[np.integer[Any]],
    second_to_first_ranks: npt.NDArray[np.integer[Any]],
    *,
    first_relevant_counts: npt.NDArray[np.integer[Any]],
    second_relevant_counts: npt.NDArray[np.integer[Any]],
    first_gallery: int | npt.NDArray[np.integer[Any]],
    second_gallery: int | npt.NDArray[np.integer[Any]],
) -> RetrievalUtility:
    """Compute the recalls at 1, 5 and 10 of both directions with their chance levels.

    Args:
        first_to_second_ranks: (q1,) `first_hit_ranks` of queries of the first modality.
        second_to_first_ranks: (q2,) those of the second modality.
        first_relevant_counts: (q1,) relevant items of each query of the first modality.
        second_relevant_counts: (q2,) those of the second modality.
        first_gallery: number of first-modality items that the second's queries search; (q2,) of each where
            it differs.
        second_gallery: number of second-modality items that the first's queries search, likewise.

    Returns:
        The recalls.

    Raises:
        ValueError: a direction has no queries, or ranks and counts differ in number.

    Example:
        >>> import numpy as np
        >>> ranks, ones = np.array([0, 3]), np.array([1, 1])
        >>> counts = {'first_relevant_counts': ones, 'second_relevant_counts': ones}
        >>> found = retrieval_utility(ranks, ranks, **counts, first_gallery=9, second_gallery=9)
        >>> round(found.mean_recall, 3)
        0.833
    """
    return RetrievalUtility(
        first_to_second=_recalls(first_to_second_ranks, first_relevant_counts, second_gallery),
        second_to_first=_recalls(second_to_first_ranks, second_relevant_counts, first_gallery),
    )


def mean_utility(parts: Sequence[RetrievalUtility]) -> RetrievalUtility:
    """Average recalls and chance levels over several galleries, weighted by their numbers of queries.

    Args:
        parts: at least one; of one, it is returned.

    Example:
        >>> small, large = {1: Estimate(0.5, 10, chance=0.1)}, {1: Estimate(1.0, 30, chance=0.1)}
        >>> mean_utility([RetrievalUtility(small, small), RetrievalUtility(large, large)]).mean_recall
        0.875
    """
    if len(parts) == 1:
        return parts[0]
    return RetrievalUtility(
        first_to_second=_mean_recalls([part.first_to_second for part in parts]),
        second_to_first=_mean_recalls([part.second_to_first for part in parts]),
    )


def _mean_recalls(parts: Sequence[Mapping[int, Estimate]]) -> dict[int, Estimate]:
    found = {}
    for k in parts[0]:
        measures = [part[k] for part in parts]
        queries = [measure.n for measure in measures]
        found[k] = Estimate(
            value=float(np.average([measure.value for measure in measures], weights=queries)),
            chance=float(np.average([measure.chance for measure in measures], weights=queries)),
            n=sum(queries),
        )
    return found


def _recalls(
    ranks: npt.NDArray[np.integer[Any]],
    relevant_counts: npt.NDArray[np.integer[Any]],
    gallery: int | npt.NDArray[np.integer[Any]],
) -> dict[int, Estimate]:
    if ranks.shape != relevant_counts.shape:
        raise ValueError(
            f"{ranks.size} ranks but {relevant_counts.size} relevant counts; give one of each per query"
        )
    return {
        k: Estimate(recall_at(ranks, k), ranks.size, chance=chance_recall_at(gallery, relevant_counts, k))
        for k in CUTOFFS
    }
