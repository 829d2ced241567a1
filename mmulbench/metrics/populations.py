"""Describe populations of models: how sure they are of pairs, and how far other training seeds would lead.

Arrays are (k, n): one row for each of k models, with its confidence in n pairs. Row i of every array belongs
to the same training seed. Confidence is log(p / (1 - p)), where p is the probability of the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from mmulbench.errors import Diverged

Floats = NDArray[np.float64]

World = Mapping[str, Floats]
"""By set of pairs, such as ``forget``: the (k, n) confidences of models that were made alike."""

Statistic = Callable[[NDArray[np.intp]], Mapping[str, float]]
"""Takes the training seeds to use, as row numbers, and returns values by name."""

CLIP = 100.0
"""Largest confidence, as of KLOM's margins: a loss that rounds to 0 would make it infinite."""

FEWEST = 3
"""Least number of models: each is judged by what the others tell, and a spread takes two."""

COVERAGE = 0.95


class Jackknifed(NamedTuple):
    """Holds a value, and how far it would move with other training seeds.

    Attributes:
        value: the value of all models.
        low: lower end of its 95 % interval, None where there is none.
        high: upper end of its 95 % interval, None where there is none.
    """

    value: float
    low: float | None = None
    high: float | None = None

    def within(self, least: float, most: float) -> Jackknifed:
        """Return the same with an interval that ends at the bounds of the measure.

        Args:
            least: smallest possible value.
            most: largest possible value.
        """
        if self.low is None or self.high is None:
            return self
        return Jackknifed(self.value, max(self.low, least), min(self.high, most))


def jackknife(statistic: Statistic, models: int, *, intervals: bool = True) -> dict[str, Jackknifed]:
    """Compute values, and their intervals by leaving out one training seed after the other.

    The interval is value ± t · se, where t is the quantile of Student's distribution with k - 1 degrees of
    freedom, and se² = (k - 1) / k times the sum of squares of the k values that leave one out, about their
    mean. Pairs are taken as they are: it says what other training seeds would give for the same pairs.

    Args:
        statistic: computes the values of some of the models.
        models: number of models k; `FEWEST` give no interval, since one less cannot be judged.
        intervals: whether intervals are wanted at all; they take k times as long.

    Example:
        >>> import numpy as np
        >>> x = np.array([1.0, 2.0, 3.0, 4.0])
        >>> mean = jackknife(lambda rows: {'mean': x[rows].mean()}, 4)['mean']
        >>> round(float(mean.value), 2), round(float(mean.low), 2), round(float(mean.high), 2)
        (2.5, 0.45, 4.55)
    """
    rows = np.arange(models)
    values = statistic(rows)
    if not intervals or models <= FEWEST:
        return {name: Jackknifed(value) for name, value in values.items()}
    without = [statistic(np.delete(rows, row)) for row in rows]
    found = {}
    for name, value in values.items():
        others = np.array([one[name] for one in without])
        error = np.sqrt((models - 1) * others.var())
        half = float(student.ppf((1 + COVERAGE) / 2, models - 1) * error)
        found[name] = Jackknifed(value, value - half, value + half)
    return found


def confidence(losses: Floats) -> Floats:
    """Return log(p / (1 - p)) with p = exp(-loss), within `CLIP`, for losses of any shape.

    For a contrastive loss, the mean of both directions, p is the geometric mean of their probabilities.

    Example:
        >>> import numpy as np
        >>> confidence(np.log([2.0, 4.0])).round(3)
        array([ 0.   , -1.099])
    """
    losses = np.asarray(losses, dtype=np.float64)
    with np.errstate(divide="ignore"):  # a loss of 0 is clipped
        return np.clip(-losses - np.log(-np.expm1(-losses)), -CLIP, CLIP)


def check_worlds(*worlds: Floats) -> None:
    """Check that arrays of confidences are of the same models and pairs.

    Args:
        *worlds: (k, n) confidences.

    Raises:
        ValueError: there are fewer than `FEWEST` models or no pairs, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> check_worlds(np.zeros((3, 5)), np.ones((3, 5)))
    """
    shapes = {world.shape for world in worlds}
    if len(shapes) > 1 or worlds[0].ndim != 2 or len(worlds[0]) < FEWEST or worlds[0].size == 0:
        raise ValueError(
            f"confidences have shapes {sorted(shapes)}; give (k, n) of the same k models and n pairs, "
            f"with k at least {FEWEST}"
        )
    if any(np.isnan(world).any() for world in worlds):
        raise Diverged("a confidence is NaN; a model has diverged")
