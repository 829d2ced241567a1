"""my_metric holds to the contract of metrics, and its value can be counted by hand."""

from __future__ import annotations

from pathlib import Path  # plug-in
from typing import Any

import numpy as np
import pytest

from mmulbench import HEADLINE, METRICS, PairNumbers, PathObservation
from mmulbench.conformance import Check, metric_checks, metric_trial, run_check
from mmulbench.core.plugins import load_plugins  # plug-in

load_plugins([Path(__file__).with_name("my_metric.py")])  # plug-in
MyMetric: Any = METRICS.get("my_metric")
TRIAL = metric_trial("my_metric")


@pytest.mark.parametrize("check", metric_checks(), ids=str)
def test_holds_to_the_contract(check: Check) -> None:
    """On arrays of models whose behaviour is known."""
    outcome = run_check(check, [TRIAL])
    if outcome.status == "skipped":
        pytest.skip(outcome.reason)
    assert outcome.status == "passed", outcome.reason


def test_counted_by_hand() -> None:
    """The median of the test losses is 3; of four forget pairs one has a higher loss."""
    losses = {"forget": np.array([1.0, 2.0, 3.0, 4.0]), "test": np.array([2.0, 3.0, 9.0])}
    numbers = PairNumbers(scores={}, losses=losses)
    observation = PathObservation("matching", model=numbers, original=numbers, units={}, seed=0)
    found = MyMetric("my_metric").compute(observation)[HEADLINE]
    assert (found.value, found.n) == (0.25, 4)
