"""Measure how much of what an encoder knew by itself is left: linear CKA, and a linear probe."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from mmulbench.errors import Diverged, NotApplicable
from mmulbench.metrics.separation import Floats

FEWEST = 4
"""Least number of test items: the unbiased estimate divides by n - 3."""

THREADS = 1
"""Threads of linear algebra: on several, matrices this small are slower, and rounded otherwise."""

PENALTIES = np.logspace(-6, 6, 13)
"""Penalties that the probe chooses from, for features whose rows have a mean square of 1."""


def linear_cka(features: Floats, others: Floats) -> float:
    """Compute debiased linear CKA: how alike two models arrange the same items, 1 for the same arrangement.

    Source: Kornblith et al. 2019 (arXiv 1905.00414), for centred features. Their plug-in estimate is far
    above 0 for unrelated features where items are not many more than dimensions (.4 with 169 items and 128
    dimensions). So HSIC is the unbiased estimate of Song et al. 2012, as in Nguyen et al. 2021 (arXiv
    2010.15327): about 0 for unrelated features, a little below it as often as above. Rotation and scaling
    change nothing. A model that gives the same output for all items has a CKA of 0.

    Args:
        features: (n, d) one model's outputs for n items.
        others: (n, e) another model's outputs for the same items.

    Raises:
        ValueError: there are no items, or the two do not fit together.
        NotApplicable: there are fewer than `FEWEST` items.
        Diverged: a feature is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> features = np.random.default_rng(0).normal(size=(50, 3))
        >>> round(linear_cka(features, 7 * features[:, ::-1]), 6)
        1.0
    """
    x, y = _centred(features, others)
    with threadpool_limits(THREADS):
        own, other, both = _hsic(x, x), _hsic(y, y), _hsic(x, y)
    return both / float(np.sqrt(own * other)) if min(own, other) > 0 else 0.0


def probe_r2(features: Floats, targets: Floats) -> float:
    """Compute what a linear probe of one model's outputs explains of another's: R², cross-validated.

    The probe is a ridge regression; each item is predicted by one that is fitted on all others, and the
    penalty is the one that predicts best. R² is the mean over target dimensions weighted by their variance:
    1 where all is predicted, about 0 where nothing is. Rotation and scaling change nothing. Where there are
    fewer items than dimensions, even a model's own outputs are not predicted wholly, so compare with what a
    probe of the targets themselves reaches.

    Args:
        features: (n, d) outputs that the probe reads.
        targets: (n, e) outputs that it predicts, of the same items.

    Raises:
        ValueError: there are no items, or the two do not fit together.
        NotApplicable: there are fewer than `FEWEST` items.
        Diverged: a feature is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> features = np.random.default_rng(0).normal(size=(50, 3))
        >>> round(probe_r2(features, 7 * features[:, ::-1]), 3)
        1.0
    """
    x, y = _centred(features, targets)
    spread, variance = np.sqrt(np.mean((x**2).sum(1))), float(np.mean(y**2))
    if spread == 0 or variance == 0:
        return 0.0
    with threadpool_limits(THREADS):
        probe = RidgeCV(PENALTIES).fit(x / spread, y)
    left_out = variance * (len(y) / (len(y) - 1)) ** 2  # squared error of the mean of all other items
    return 1 + float(probe.best_score_) / left_out


def _centred(*models: Floats) -> list[npt.NDArray[np.float64]]:
    """Check outputs of several models for the same items, and centre them.

    Raises:
        ValueError: There are no items, or the models do not fit together.
        NotApplicable: There are fewer than `FEWEST` items.
        Diverged: A feature is NaN or infinite.
    """
    shapes = [one.shape for one in models]
    if any(one.ndim != 2 or one.size == 0 for one in models) or len({len(one) for one in models}) > 1:
        raise ValueError(f"features have shapes {shapes}; give (n, d) of the same n items")
    if len(models[0]) < FEWEST:
        raise NotApplicable(f"needs at least {FEWEST} test items, there are {len(models[0])}")
    found = [np.asarray(one, dtype=np.float64) for one in models]
    if not all(np.isfinite(one).all() for one in found):
        raise Diverged("a pooled output is NaN or infinite; the model has diverged")
    return [np.where(np.ptp(one, axis=0) > 0, one - one.mean(0), 0.0) for one in found]


def _hsic(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Compute the unbiased HSIC of linear kernels (Song et al. 2012), times n(n - 3), without the kernels."""
    n, own, other = len(x), (x**2).sum(1), (y**2).sum(1)
    rows_x, rows_y = x @ x.sum(0) - own, y @ y.sum(0) - other  # row sums of kernels without their diagonals
    trace = ((x.T @ y) ** 2).sum() - own @ other
    return float(trace + rows_x.sum() * rows_y.sum() / ((n - 1) * (n - 2)) - 2 * (rows_x @ rows_y) / (n - 2))
