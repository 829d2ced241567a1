"""Attack single pairs with populations of shadow models: U-LiRA, LiRA and RMIA, with their controls.

Arrays are as in `mmulbench.metrics.populations`. A world is what models of one kind are sure of: by set of
pairs, (k, n). Every training seed is the target once, and the attacker knows the models of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mmulbench.core.metric import HEADLINE
from mmulbench.core.observations import Estimate, Estimates
from mmulbench.metrics.populations import Floats, Jackknifed, World, check_worlds, jackknife

OWN_SPREAD = 64
"""Least number of models with a variance for every pair; fewer share one, as Carlini et al. 2022 advise."""

LEAST_VARIANCE = 1e-12
"""Least variance, which keeps scores finite where models agree to the last digit."""

FALSE_POSITIVE_RATES = (0.01, 0.001)

FALSE_POSITIVES = 10
"""Fewest false positives that a true-positive rate is given for; of fewer the threshold is mostly luck."""

DIFFERENCE = "difference"


def u_lira(unlearned: World, retrained: World, *, intervals: bool = True) -> Estimates:
    """Attack with U-LiRA: was this pair trained on and unlearned, or never trained on?

    Source: Hayes et al. 2024 (arXiv 2403.01218), after Carlini et al. 2022 (arXiv 2112.03570). Each pair has
    a normal distribution of confidence for either world, fitted on models of other training seeds; the score
    is the logarithm of their ratio. Here the forget set is the same for all models, and models that never saw
    it are retrains, the reference of all else: an attacker who knows the method and the deleted pairs.

    Both worlds have one variance, as in `lira`: the score is linear in confidence, and what is found is a
    shift. That unlearned models vary more or less than retrained ones is not counted; KLOM sees it.

    Args:
        unlearned: confidences of models trained on everything, then unlearned, in ``forget`` and ``test``.
        retrained: the same of models retrained without the forget set.
        intervals: whether to compute jackknife intervals.

    Returns:
        By part: see `lira`.

    Raises:
        ValueError: there are fewer than `mmulbench.metrics.populations.FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> retrained = {'forget': np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]), 'test': np.zeros((3, 2))}
        >>> known = {**retrained, 'forget': retrained['forget'] + 4}
        >>> u_lira(known, retrained)['headline'].value
        1.0
        >>> surer = {name: world + 4 for name, world in retrained.items()}
        >>> [u_lira(surer, retrained)[part].value for part in ('headline', 'forget')]
        [0.5, 1.0]
    """
    return lira(unlearned, retrained, unlearned, intervals=intervals)


def lira(unlearned: World, retrained: World, originals: World, *, intervals: bool = True) -> Estimates:
    """Attack with LiRA: does an unlearned model still look like one that was trained on the pair?

    As `u_lira`, by an attacker who does not know of unlearning: the world in which a pair was trained on is
    that of the originals. Source: Carlini et al. 2022 (arXiv 2112.03570), online attack, but with one
    variance for both worlds. With one for each the score is quadratic, and where originals vary more, a
    confidence far below retrain's would count as trained on. With one it falls below .5 there, the further
    the more was forgotten.

    Means are as in the paper's algorithm; the released code (tensorflow/privacy) takes medians. Its fixed
    variance is the total one, over all pairs and models; here it is the mean of the pairs' own variances.

    Args:
        unlearned: confidences of models trained on everything, then unlearned, in ``forget`` and ``test``.
        retrained: the same of models retrained without the forget set.
        originals: the same of models trained on everything.
        intervals: whether to compute jackknife intervals.

    Returns:
        By part. ``headline``: AUC on the forget set, after each model's mean confidence in test pairs is
        subtracted. ``forget``: the same without that. ``test``: the control, the same attack on test pairs.
        ``difference``: ``forget`` less ``test``. ``tpr@1%``, ``tpr@0.1%``: share of unlearned pairs that the
        headline's attack finds at that rate of false positives, left out below `FALSE_POSITIVES` of them.

    Raises:
        ValueError: there are fewer than `mmulbench.metrics.populations.FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> retrained = {'forget': np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]), 'test': np.zeros((3, 2))}
        >>> originals, lost = ({**retrained, 'forget': retrained['forget'] + d} for d in (4, -4))
        >>> lira(lost, retrained, originals)['headline'].value < 0.2
        True
    """
    worlds = (unlearned, retrained, originals)
    for name in ("forget", "test"):
        check_worlds(*(world[name] for world in worlds))
    forget, test = (np.stack([world[name] for world in worlds]) for name in ("forget", "test"))
    centred = forget - test.mean(2, keepdims=True)
    rates = rates_given(forget[0].size)

    def statistic(rows: NDArray[np.intp]) -> dict[str, float]:
        found = _found(*_ratios(*centred[:, rows]), rates)
        raw, control = (_found(*_ratios(*models[:, rows]))[HEADLINE] for models in (forget, test))
        return {**found, "forget": raw, "test": control, DIFFERENCE: raw - control}

    found = jackknife(statistic, forget.shape[1], intervals=intervals)
    return _estimates(found, {"test": 2 * test[0].size}, 2 * forget[0].size)


def rmia(
    unlearned: World, retrained: World, originals: World, gamma: float = 1.0, *, intervals: bool = True
) -> Estimates:
    """Attack with RMIA: is the pair likelier than pairs that nobody trained on, beside other models?

    The score of x is the share of test pairs z with (p(x|model) / p(x)) / (p(z|model) / p(z)) >= gamma; p(x)
    and p(z) are means over originals and retrains of other training seeds, half of which saw x and none z.
    Source: Zarifzadeh et al. 2024 (arXiv 2312.03262), online attack.

    It has a control built in: x is compared with test pairs by the same model. On test pairs the scores of
    every model are spread evenly, whatever it is. A shift of all pairs still moves it a little, since
    probabilities saturate.

    Args:
        unlearned: confidences of models trained on everything, then unlearned, in ``forget`` and ``test``.
        retrained: the same of models retrained without the forget set.
        originals: the same of models trained on everything.
        gamma: margin of the comparison; 1 is none, since a margin only makes ties where probabilities are
            near 1.
        intervals: whether to compute jackknife intervals.

    Returns:
        By part: ``headline``, the AUC; ``tpr@1%`` and ``tpr@0.1%`` as of `lira`.

    Raises:
        ValueError: there are fewer than `mmulbench.metrics.populations.FEWEST` models, or shapes differ.
        Diverged: a confidence is NaN.

    Example:
        >>> import numpy as np
        >>> retrained = {'forget': np.zeros((3, 2)), 'test': np.ones((3, 5))}
        >>> originals = {**retrained, 'forget': np.full((3, 2), 4.0)}
        >>> rmia(originals, retrained, originals)['headline'].value
        1.0
    """
    worlds = (unlearned, retrained, originals)
    for name in ("forget", "test"):
        check_worlds(*(world[name] for world in worlds))
    x, z = (expit(np.stack([world[name] for world in worlds])) for name in ("forget", "test"))
    rates = rates_given(x[0].size)

    def statistic(rows: NDArray[np.intp]) -> dict[str, float]:
        known, beside = (_beside_others(p[:, rows]) for p in (x, z))
        beaten = [
            np.searchsorted(np.sort(those), these / gamma, side="right") / those.size
            for these, those in zip(
                known.reshape(-1, x.shape[2]), beside.reshape(-1, z.shape[2]), strict=True
            )
        ]
        unlearned_scores, retrained_scores = np.array(beaten).reshape(2, -1)
        return _found(unlearned_scores, retrained_scores, rates)

    return _estimates(jackknife(statistic, x.shape[1], intervals=intervals), {}, 2 * x[0].size)


def rates_given(pairs: int) -> list[float]:
    """Return the false-positive rates at which true-positive rates are given.

    Args:
        pairs: number of pairs of retrained models, each model counted.

    Example:
        >>> rates_given(1000), rates_given(10_000)
        ([0.01], [0.01, 0.001])
    """
    return [rate for rate in FALSE_POSITIVE_RATES if rate * pairs >= FALSE_POSITIVES]


def percent(rate: float) -> str:
    """Return a rate as text, such as ``0.1%``.

    Example:
        >>> percent(0.001)
        '0.1%'
    """
    return f"{100 * rate:g}%"


def _ratios(unlearned: Floats, retrained: Floats, inside: Floats) -> tuple[Floats, Floats]:
    """Return the log likelihood ratios of (k, n) unlearned and retrained targets, by models of other seeds.

    Args:
        unlearned: confidences of targets.
        retrained: confidences of targets, and of the world in which a pair was never trained on.
        inside: confidences of the world in which it was.
    """
    k = len(retrained)
    means, squares = [], np.zeros_like(retrained)
    for world in (inside, retrained):
        from_mean = world - world.mean(0)
        means.append((world.sum(0) - world) / (k - 1))
        squares += (from_mean**2).sum(0) - from_mean**2 * (k / (k - 1))
    variance = squares / (2 * max(k - 2, 1))
    if k - 1 < OWN_SPREAD:
        variance = variance.mean(1, keepdims=True)
    slope = (means[0] - means[1]) / np.maximum(variance, LEAST_VARIANCE)
    middle = (means[0] + means[1]) / 2
    return slope * (unlearned - middle), slope * (retrained - middle)


def _beside_others(p: Floats) -> Floats:
    """Return (2, k, n) probabilities by unlearned and retrained models, divided by the means over others.

    Args:
        p: (3, k, n) probabilities by unlearned, retrained and original models.
    """
    others = p[1:].sum((0, 1)) - p[1:].sum(0)
    return np.asarray(p[:2] / (others / (2 * (p.shape[1] - 1))))


def _found(unlearned: Floats, retrained: Floats, rates: Iterable[float] = ()) -> dict[str, float]:
    """Return AUC and true-positive rates of scores that should be higher for unlearned models."""
    low, high = np.sort(retrained, axis=None), np.sort(unlearned, axis=None)
    wins = np.searchsorted(low, high) + np.searchsorted(low, high, side="right")
    found = {HEADLINE: float(wins.mean() / (2 * low.size))}
    for rate in rates:
        threshold = low[low.size - 1 - int(rate * low.size)]
        found[f"tpr@{percent(rate)}"] = 1 - float(np.searchsorted(high, threshold, side="right")) / high.size
    return found


def _estimates(found: Mapping[str, Jackknifed], counts: Mapping[str, int], n: int) -> dict[str, Estimate]:
    """Give values their bounds, their chance levels and the number of pairs that they rest on."""
    chances = {f"tpr@{percent(rate)}": rate for rate in FALSE_POSITIVE_RATES} | {DIFFERENCE: 0.0}
    estimates = {}
    for part, one in found.items():
        value, low, high = one.within(-1.0 if part == DIFFERENCE else 0.0, 1.0)
        estimates[part] = Estimate(value, counts.get(part, n), low, high, chances.get(part, 0.5))
    return estimates
