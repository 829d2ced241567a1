"""Compare how confidence is distributed in two populations of models: KLOM, and its excess over chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmulbench.metrics.populations import CLIP, Floats, Jackknifed, check_worlds, jackknife

BINS = 20
LEAST_PROBABILITY = 1e-5


def klom(unlearned: Floats, retrained: Floats) -> Floats:
    """Compute KLOM: for each pair the KL divergence of unlearned models' confidence from retrained models'.

    Confidence is the margin of the source: the logit of the truth less the log-sum-exp of the others. It is
    sorted into `BINS` bins between the least and the greatest of both; a bin without a retrained model counts
    as `LEAST_PROBABILITY`. Source: Georgiev et al. 2024 (arXiv 2410.23232), E.1; a published implementation
    (RoyRin/data-unlearning-bench) drops the greatest margin out of the last bin, which is kept here. With few
    models it is far above 0 even where both are alike: compare with another population of retrained models,
    `klom_excess`.

    Args:
        unlearned: (k, n) confidences of unlearned models.
        retrained: (k, n) confidences of retrained models.

    Returns:
        (n,) divergences in nats.

    Raises:
        ValueError: there are fewer than `mmulbench.metrics.populations.FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> retrained = np.array([[0.0], [1.0], [2.0]])
        >>> klom(retrained, retrained)
        array([0.])
        >>> klom(retrained + 9, retrained).round(2)
        array([10.41])
    """
    check_worlds(unlearned, retrained)
    return _divergences(unlearned, retrained)


def klom_excess(unlearned: Floats, retrained: Floats, again: Floats, *, intervals: bool = True) -> Jackknifed:
    """Compute how far mean KLOM is above what chance gives: another population of retrained models.

    Both are compared with the same retrained models, and are of equal size: where unlearned models are like
    retrained ones the excess is 0 on average, however few there are. It may be below 0.

    Args:
        unlearned: (k, n) confidences of unlearned models.
        retrained: (k, n) confidences of retrained models.
        again: (k, n) confidences of models retrained by other training seeds.
        intervals: whether to compute the jackknife interval.

    Returns:
        The difference of the means over pairs, in nats, with its interval.

    Raises:
        ValueError: there are fewer than `mmulbench.metrics.populations.FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> unlearned, retrained, again = np.random.default_rng(0).normal(size=(3, 8, 200))
        >>> bool(klom(unlearned, retrained).mean() > 1)
        True
        >>> excess = klom_excess(unlearned, retrained, again)
        >>> excess.low < 0 < excess.high
        True
    """
    check_worlds(unlearned, retrained, again)

    def statistic(rows: NDArray[np.intp]) -> dict[str, float]:
        own, chance = (_divergences(one[rows], retrained[rows]).mean() for one in (unlearned, again))
        return {"excess": float(own - chance)}

    return jackknife(statistic, len(retrained), intervals=intervals)["excess"]


def _divergences(unlearned: Floats, retrained: Floats) -> Floats:
    both = np.clip(np.stack([unlearned, retrained]), -CLIP, CLIP)
    low, width = both.min((0, 1)), np.ptp(both, axis=(0, 1))
    place = np.minimum((BINS * (both - low) / np.where(width > 0, width, 1.0)).astype(np.int64), BINS - 1)
    pairs = low.size
    places = place + BINS * np.arange(pairs)
    shares = [
        np.bincount(one.ravel(), minlength=BINS * pairs).reshape(pairs, BINS) / len(one) for one in places
    ]
    p, q = shares[0], np.maximum(shares[1], LEAST_PROBABILITY)
    return np.asarray((p * np.log(np.where(p > 0, p, 1.0) / q)).sum(1).clip(min=0.0))
