"""my_method holds to the contract of methods, and its loss is its formula."""

from __future__ import annotations

from pathlib import Path  # plug-in
from typing import Any

import pytest

from mmulbench import METHODS
from mmulbench.conformance import Check, method_checks, method_trials, run_check, tiny_problem
from mmulbench.core.plugins import load_plugins  # plug-in

load_plugins([Path(__file__).with_name("my_method.py")])  # plug-in
MyMethod: Any = METHODS.get("my_method")
TRIALS = method_trials("my_method")


@pytest.mark.parametrize("check", method_checks(), ids=str)
def test_holds_to_the_contract(check: Check) -> None:
    """On a tiny model of every kind of task."""
    outcome = run_check(check, TRIALS)
    if outcome.status == "skipped":
        pytest.skip(outcome.reason)
    assert outcome.status == "passed", outcome.reason


def test_the_loss_is_the_formula() -> None:
    """With the original as the model, on one batch of each set."""
    problem = tiny_problem("classification")
    model = problem.original
    forget, retain = next(problem.paired_epochs(epochs=1, batch_size=8))
    expected = model(retain).loss.item() - 0.5 * model(forget).loss.item()
    loss = MyMethod(MyMethod.Config(weight=0.5)).loss(model, forget, retain, problem)
    assert loss.item() == pytest.approx(expected)
