"""Compare populations of models: attacks with a threshold for every pair, and KLOM.

All arrays are (k, n): one row for each of k models, with its confidence in n pairs. Row i of every array
belongs to the same training seed. Confidence is log(p / (1 - p)), where p is the probability of the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import roc_curve

from mmulbench.core.metric import HEADLINE, Estimate
from mmulbench.errors import Diverged
from mmulbench.metrics.separation import exact_auc

Floats = NDArray[np.float64]

CLIP = 100.0
"""Largest confidence, as of KLOM's margins: a loss that rounds to 0 would make it infinite."""

FEWEST = 3
"""Least number of models: each is judged by what the others tell, and a spread takes two."""

OWN_SPREAD = 64
"""Least number of models with a spread for every pair; fewer share one, as Carlini et al. 2022 advise."""

LEAST_VARIANCE = 1e-12
"""Least variance, which keeps densities finite where models agree to the last digit."""

FALSE_POSITIVE_RATES = (0.01, 0.001)

BINS = 20
LEAST_PROBABILITY = 1e-5


@dataclass(frozen=True)
class Attack:
    """Holds how well an attacker tells unlearned models from retrained ones by a single forget-set pair.

    Attributes:
        auc: P(unlearned scores above retrained) + ties / 2; .5 where nothing tells them apart.
        tpr: by false-positive rate: the share of unlearned pairs found. A rate below one false positive
            is left out.
        n: number of pairs judged, of unlearned and retrained models together.
    """

    auc: float
    tpr: Mapping[float, float]
    n: int

    def estimates(self) -> dict[str, Estimate]:
        """Return the AUC as the headline, and the rates as details such as ``tpr@1%``.

        Example:
            >>> Attack(auc=0.5, tpr={0.01: 0.02}, n=200).estimates()['tpr@1%'].value
            0.02
        """
        rates = {f"tpr@{percent(rate)}": Estimate(tpr, self.n, chance=rate) for rate, tpr in self.tpr.items()}
        return {HEADLINE: Estimate(self.auc, self.n), **rates}


def percent(rate: float) -> str:
    """Return a rate as text, such as ``0.1%``.

    Example:
        >>> percent(0.001)
        '0.1%'
    """
    return f"{100 * rate:g}%"


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


def u_lira(unlearned: Floats, retrained: Floats) -> Attack:
    """Attack with U-LiRA: was this pair trained on and unlearned, or never trained on?

    Source: Hayes et al. 2024 (arXiv 2403.01218), after Carlini et al. 2022 (arXiv 2112.03570). Each pair has
    a normal distribution of confidence for either world, fitted on models of other training seeds; the score
    is the logarithm of their ratio. Here the forget set is the same for all models, and models that never saw
    it are retrains, the reference of all else: an attacker who knows the method and the deleted pairs.

    Args:
        unlearned: (k, n) confidences of models trained on everything, then unlearned.
        retrained: (k, n) confidences of models retrained without the forget set.

    Raises:
        ValueError: there are fewer than `FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> retrained = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
        >>> u_lira(retrained + 4, retrained).auc
        1.0
        >>> u_lira(retrained, retrained).auc
        0.5
    """
    return lira(unlearned, retrained, unlearned)


def lira(unlearned: Floats, retrained: Floats, originals: Floats) -> Attack:
    """Attack with LiRA: does an unlearned model still look like one that was trained on the pair?

    As `u_lira`, by an attacker who does not know of unlearning: the world in which a pair was trained on is
    that of the originals. Source: Carlini et al. 2022 (arXiv 2112.03570), online attack. Below .5 unlearned
    models look less like originals than retrains do.

    Args:
        unlearned: (k, n) confidences of models trained on everything, then unlearned.
        retrained: (k, n) confidences of models retrained without the forget set.
        originals: (k, n) confidences of models trained on everything.

    Raises:
        ValueError: there are fewer than `FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> retrained = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
        >>> lira(retrained, retrained, retrained + 4).auc
        0.5
    """
    _check(unlearned, retrained, originals)

    def scores(targets: Floats) -> Floats:
        rows = []
        for row, target in enumerate(targets):
            inside, outside = (np.delete(world, row, 0) for world in (originals, retrained))
            rows.append(_log_density(target, inside) - _log_density(target, outside))
        return np.concatenate(rows)

    return _attack(scores(unlearned), scores(retrained))


def rmia(
    unlearned: Floats,
    retrained: Floats,
    originals: Floats,
    others: Mapping[str, Floats],
    gamma: float = 1.0,
) -> Attack:
    """Attack with RMIA: is the pair likelier than pairs that nobody trained on, beside other models?

    The score of x is the share of test pairs z with (p(x|model) / p(x)) / (p(z|model) / p(z)) >= gamma; p(x)
    and p(z) are means over originals and retrains of other training seeds, half of which saw x and none z.
    Source: Zarifzadeh et al. 2024 (arXiv 2312.03262), online attack.

    Args:
        unlearned: (k, n) confidences of models trained on everything, then unlearned.
        retrained: (k, n) confidences of models retrained without the forget set.
        originals: (k, n) confidences of models trained on everything.
        others: ``unlearned``, ``retrained`` and ``originals``: (k, m) confidences in test pairs.
        gamma: margin of the comparison; 1 is none, since a margin only makes ties where probabilities are
            near 1.

    Raises:
        ValueError: there are fewer than `FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> retrained, originals = np.zeros((3, 2)), np.full((3, 2), 4.0)
        >>> test = {name: np.ones((3, 5)) for name in ('unlearned', 'retrained', 'originals')}
        >>> rmia(originals, retrained, originals, test).auc
        1.0
    """
    _check(unlearned, retrained, originals)
    _check(others["unlearned"], others["retrained"], others["originals"])

    def scores(targets: Floats, targets_in_others: Floats) -> Floats:
        rows = []
        for row in range(len(targets)):
            ratio = _ratio(targets[row], row, originals, retrained)
            ratio_z = _ratio(targets_in_others[row], row, others["originals"], others["retrained"])
            beaten = np.searchsorted(np.sort(ratio_z), ratio / gamma, side="right")
            rows.append(beaten / ratio_z.size)
        return np.concatenate(rows)

    return _attack(scores(unlearned, others["unlearned"]), scores(retrained, others["retrained"]))


def klom(unlearned: Floats, retrained: Floats) -> Floats:
    """Compute KLOM: for each pair the KL divergence of unlearned models' confidence from retrained models'.

    Confidence is the margin of the source: the logit of the truth less the log-sum-exp of the others. It is
    sorted into `BINS` bins between the least and the greatest of both; a bin without a retrained model counts
    as `LEAST_PROBABILITY`. Source: Georgiev et al. 2024 (arXiv 2410.23232), E.1. With few models it is far
    above 0 even where both are alike: compare with `klom_of_chance`.

    Args:
        unlearned: (k, n) confidences of unlearned models.
        retrained: (k, n) confidences of retrained models.

    Returns:
        (n,) divergences in nats.

    Raises:
        ValueError: there are fewer than `FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> retrained = np.array([[0.0], [1.0], [2.0]])
        >>> klom(retrained, retrained)
        array([0.])
        >>> klom(retrained + 9, retrained).round(2)
        array([10.41])
    """
    _check(unlearned, retrained)
    both = np.clip(np.concatenate([unlearned, retrained]), -CLIP, CLIP)
    low, width = both.min(0), np.ptp(both, axis=0)
    width = np.where(width > 0, width, 1.0)
    place = np.minimum((BINS * (both - low) / width).astype(np.int64), BINS - 1)
    shares = (place[:, :, None] == np.arange(BINS)).reshape(2, len(unlearned), -1, BINS).mean(1)
    p, q = shares[0], np.maximum(shares[1], LEAST_PROBABILITY)
    return np.asarray((p * np.log(np.where(p > 0, p, 1.0) / q)).sum(1).clip(min=0.0))


def klom_of_chance(unlearned: Floats, retrained: Floats, seed: int, repeats: int = 20) -> float:
    """Compute the mean `klom` where chance decides which model of a training seed counts as unlearned.

    Args:
        unlearned: (k, n) confidences of unlearned models.
        retrained: (k, n) confidences of retrained models.
        seed: seed of the draws.
        repeats: number of draws.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> unlearned, retrained = rng.normal(size=(2, 4, 50))
        >>> klom_of_chance(unlearned, retrained, seed=0) > 1
        True
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(repeats):
        swapped = rng.integers(2, size=(len(unlearned), 1)).astype(bool)
        found.append(
            klom(np.where(swapped, retrained, unlearned), np.where(swapped, unlearned, retrained)).mean()
        )
    return float(np.mean(found))


def _check(*worlds: Floats) -> None:
    shapes = {world.shape for world in worlds}
    if len(shapes) > 1 or worlds[0].ndim != 2 or len(worlds[0]) < FEWEST or worlds[0].size == 0:
        raise ValueError(
            f"confidences have shapes {sorted(shapes)}; give (k, n) of the same k models and n pairs, "
            f"with k at least {FEWEST}"
        )
    if any(np.isnan(world).any() for world in worlds):
        raise Diverged("a confidence is NaN; a model has diverged")


def _log_density(confidences: Floats, world: Floats) -> Floats:
    """Return the (n,) log densities of confidences (n,) under normals fitted on models (k, n)."""
    variance = world.var(0, ddof=1)
    if len(world) < OWN_SPREAD:
        variance = np.full_like(variance, variance.mean())
    spread = np.sqrt(np.maximum(variance, LEAST_VARIANCE))
    return np.asarray(norm.logpdf(confidences, world.mean(0), spread))


def _ratio(target: Floats, row: int, originals: Floats, retrained: Floats) -> Floats:
    """Return the (n,) probabilities by one model, divided by the mean over other training seeds."""
    others = (expit(np.delete(world, row, 0)).mean(0) for world in (originals, retrained))
    return np.asarray(expit(target) / (sum(others) / 2))


def _attack(unlearned: Floats, retrained: Floats) -> Attack:
    """Judge scores that should be higher for unlearned models."""
    labels = np.repeat([1, 0], [unlearned.size, retrained.size])
    rates, found, _ = roc_curve(labels, np.concatenate([unlearned, retrained]), drop_intermediate=False)
    tpr = {
        rate: float(found[rates <= rate].max()) for rate in FALSE_POSITIVE_RATES if rate * retrained.size >= 1
    }
    return Attack(exact_auc(retrained, unlearned), tpr, labels.size)
