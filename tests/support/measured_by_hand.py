"""Measurements of models whose behaviour is known, made by hand: no model runs."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from mmulbench.core.observations import Estimate, Measurements

SIZES = {"test": 60, "retain": 300, "forget": 60}
UNITS = {name: np.repeat(np.arange(size // 3), 3) for name, size in SIZES.items()}
PATHS = ("contrastive", "matching")
KNOWN = np.random.default_rng(9).normal(size=(50, 4))
"""What all encoders know of the test items; noise of the models' seeds comes on top of it."""


def measurements(
    utility: dict[str, float], levels: dict[str, dict[str, float]], seed: int = 0
) -> Measurements:
    """Scores around a level for every path and set; the loss falls as the score rises."""
    rng = np.random.default_rng(seed)
    scores: dict[str, dict[str, np.ndarray]] = {}
    for path, by_set in levels.items():
        sizes = {**SIZES, "unrelated": SIZES["forget"]}
        scores[path] = {name: level + rng.permutation(spread(sizes[name])) for name, level in by_set.items()}
    losses = {
        path: {name: np.log1p(np.exp(-score)) for name, score in by_set.items() if name != "unrelated"}
        for path, by_set in scores.items()
    }
    found = {
        name: {"headline": Estimate(value, 10, chance=0.05), "i2t_r@1": Estimate(value / 2, 5, chance=0.01)}
        for name, value in utility.items()
    }
    pooled = {
        "image": KNOWN + seed / 4 * rng.normal(size=KNOWN.shape),
        "text": KNOWN + seed / 2 * rng.normal(size=KNOWN.shape),
    }
    return Measurements(found, scores, losses, pooled)


def spread(count: int) -> np.ndarray:
    """A standard normal sample without luck: its quantiles."""
    return norm.ppf((np.arange(count) + 0.5) / count)


def levels(test: float, retain: float, forget: float) -> dict[str, float]:
    return {"test": test, "retain": retain, "forget": forget, "unrelated": -6.0}


ORIGINAL = measurements(
    {"test": 0.5, "retain": 0.9, "forget": 0.9}, {path: levels(0, 4, 4) for path in PATHS}, 1
)
RETRAIN = measurements(
    {"test": 0.5, "retain": 0.9, "forget": 0.5}, {path: levels(0, 4, 0) for path in PATHS}, 2
)
