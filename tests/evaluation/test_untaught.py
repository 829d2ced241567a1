"""Of a planted original it is known which of its paths learned nothing."""

from __future__ import annotations

import numpy as np

from mmulbench.core.observations import Measurements
from mmulbench.evaluation.untaught import untaught_paths


def test_a_path_that_judges_every_pair_alike_is_found_and_no_other():
    rng = np.random.default_rng(0)
    noise = {name: rng.normal(size=300) for name in ("forget", "unrelated", "retain")}
    prior = dict.fromkeys(noise, np.full(300, np.log(0.5)))
    scores = {
        "learned": {**noise, "forget": noise["forget"] + 0.5},
        "random": noise,
        "prior": prior,
        "without": {"forget": noise["forget"]},
    }
    found = untaught_paths(Measurements({}, scores, {}))
    assert [one.path for one in found] == ["random", "prior"]
    assert found[1].auc == 0.5
