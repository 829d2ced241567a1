"""Numbers change with their version alone: records name versions, not the code of the engine.

Where a test here fails, either the change was not meant, or the version goes up and the new numbers go into
golden.json, which the failure prints.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from mmulbench.core.method import Method
from mmulbench.evaluation.values import compute_values
from mmulbench.records.schema import METRIC_VERSION, RECIPE_VERSION
from mmulbench.selftest.planted import ORIGINAL, PLANTED, RETRAIN, RUN, measurements

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())


def check(kind: str, version: str, found: Mapping[str, float | None], near: float) -> None:
    """Fail unless these are the numbers of the version."""
    known = GOLDEN[kind]
    numbers = {name: float(f"{value:.7g}") for name, value in found.items() if value is not None}
    said = f"{kind} changed without a new version; if it is meant, raise it and write\n{json.dumps(numbers)}"
    assert version == known["version"], f"golden.json lacks version {version}: write\n{json.dumps(numbers)}"
    assert set(numbers) == set(known["numbers"]), said
    off = {
        name: (value, known["numbers"][name])
        for name, value in numbers.items()
        if value != pytest.approx(known["numbers"][name], rel=near, abs=near)
    }
    assert not off, f"{said}\n{off}"


def test_metrics_of_planted_models():
    still_known = next(one for one in PLANTED if one.name == "still_known")
    own, original, retrain = (measurements(one, 42) for one in (still_known, ORIGINAL, RETRAIN))
    values, _ = compute_values(own, original, retrain, RUN.of_pairs(), 42)
    found = {
        f"{name} {field}": getattr(value, field)
        for name, value in values.items()
        for field in ("value", "retrain", "original", "low", "high")
    }
    check("metrics", METRIC_VERSION, found, 1e-4)


def sureness(model, problem) -> dict[str, float]:
    """How sure a model is of pairs it was trained on, by path: numbers that every weight moves."""
    with torch.no_grad():
        batch = problem.retain.batch(problem.retain.split.rows[:32] * 0 + range(32))
        scores = model.eval().association(*model.encode_batch(batch))
    return {name: float(score.mean()) for name, score in scores.items()}


@pytest.mark.slow
def test_training_and_unlearning_of_a_tiny_model(original, make_problem, quick_method):
    """One epoch each: rounding, which differs between machines, is far below what a change would do."""
    problem = make_problem()
    found = {f"original {path}": value for path, value in sureness(original, problem).items()}
    for name in ("retrain", "finetune", "mmul"):
        method: Method = quick_method(name)
        unlearned = method.unlearn(make_problem())
        found |= {f"{name} {path}": value for path, value in sureness(unlearned, problem).items()}
    check("training", RECIPE_VERSION, found, 2e-3)
