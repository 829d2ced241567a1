"""What the interval of `auc_by_units` costs, against scikit-learn's AUC on as many bootstrap draws.

The scores are as many as those of a large task: 700 pairs to forget and 13,000 to keep. The two take turns;
scikit-learn makes a part of the draws, and its time is that of all of them. The median of each turn's ratio
is the figure.
Run: python benchmarks/separation.py
"""

from __future__ import annotations

import inspect
import json
import statistics
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score

from mmulbench.metrics.separation import auc_by_units

FORGET, RETAIN, EACH, ROUNDS, PART, ALLOWED = 700, 13_000, 5, 9, 50, 0.05
HERE = Path(__file__).parent


def main() -> None:
    """Measure and write the record."""
    rng = np.random.default_rng(10)
    forget, retain = rng.normal(size=FORGET), rng.normal(size=RETAIN)
    units, others = np.arange(FORGET) // EACH, np.arange(RETAIN) // EACH
    draws = inspect.signature(auc_by_units).parameters["repeats"].default

    def ours() -> None:
        auc_by_units(forget, units, retain, others, seed=0)

    def plain() -> None:
        labels = np.repeat([0, 1], [FORGET, RETAIN])
        for _ in range(PART):
            drawn = (
                rng.integers(0, FORGET // EACH, FORGET // EACH),
                rng.integers(0, RETAIN // EACH, RETAIN // EACH),
            )
            rows = [(EACH * units[:, None] + np.arange(EACH)).ravel() for units in drawn]
            roc_auc_score(labels, np.concatenate([forget[rows[0]], retain[rows[1]]]))

    seconds: dict[str, list[float]] = {"auc_by_units": [], "scikit-learn": []}
    for round_ in range(-1, ROUNDS):
        for name, work, share in (("auc_by_units", ours, 1.0), ("scikit-learn", plain, PART / draws)):
            start = time.perf_counter()
            work()
            if round_ >= 0:  # the first warms up
                seconds[name].append((time.perf_counter() - start) / share)
    ratios = [one / other for one, other in zip(*seconds.values(), strict=True)]
    record = {
        "what": f"AUC of {FORGET} against {RETAIN} scores with its interval from {draws} bootstrap draws",
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "rounds": ROUNDS,
        "seconds (median)": {name: round(statistics.median(values), 3) for name, values in seconds.items()},
        "ratio (median over rounds)": round(statistics.median(ratios), 3),
        "allowed": ALLOWED,
    }
    text = json.dumps(record, indent=1)
    (HERE / "separation.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
