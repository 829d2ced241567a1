"""A real model that only hides what it knew is found by training it again, not by the attack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.registry import TASKS
from mmulbench.evaluation.measure import measure_losses
from mmulbench.metrics.catalogue.relearn import Relearn
from mmulbench.metrics.separation import exact_auc
from mmulbench.progress import Progress
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.prepare import prepare
from mmulbench.runs.relearned import judged_by_recovery
from mmulbench.runs.scenario import Scenario

pytestmark = pytest.mark.slow

PATH = "contrastive"
STEP = 2e-4
"""What every weight is moved by in a step of hiding, as in a step of training again."""


@pytest.fixture(scope="module")
def scenario(workspace):
    """60 pictures, of which an original is trained on until it remembers its pairs."""
    task = TASKS.get("emoji")(TASKS.get("emoji").Config(**{"limit": 60}))
    recipe = replace(task.recipe, epochs=60, batch_size=16)
    prepared = prepare("emoji", task, find_backbone("albef:tiny", task), recipe, workspace)
    return Scenario(prepared, ForgetSet(task.forget_units(prepared.data, 16, 42)), 42)


def attack(scenario, model):
    sets = replace(scenario.sets, splits={name: scenario.sets.splits[name] for name in ("test", "forget")})
    losses = measure_losses(model, sets, Progress())[PATH]
    return exact_auc(losses["forget"], losses["test"])


@pytest.fixture(scope="module")
def hidden(scenario):
    """The original, its weights moved against what it knows of the forget set, until that is hidden."""
    problem = scenario.problem()
    model = problem.copy_of_original().requires_grad_(True)
    retrain = attack(scenario, scenario.retrain().model)
    order = np.random.default_rng(0)
    for _ in range(30):
        (batch,) = problem.forget.epoch(len(problem.forget), order)
        model.train().zero_grad()
        torch.autograd.backward(model(batch).loss)
        with torch.no_grad():
            for weight in model.parameters():
                if weight.grad is not None:
                    weight.add_(STEP * weight.grad.sign())
        if abs(attack(scenario, model) - retrain) < 0.04:
            return model
    pytest.fail("nothing was hidden")


@pytest.fixture
def judged(scenario, monkeypatch):
    monkeypatch.setattr(Relearn, "steps", (0, 1, 2, 4, 8))

    def judge(model):
        models = {"original": scenario.original().model, "retrain": scenario.retrain().model}
        values, missing = judged_by_recovery(scenario, {"model": model, **models}, [Relearn("relearn")])
        assert missing == []
        return values

    return judge


def test_what_is_hidden_comes_back(scenario, hidden, judged):
    values = judged(hidden)
    for half in ("shown", "held_out"):  # it looks as if it had forgotten …
        before, after = (values[f"relearn/{PATH}/{half}_{step}"] for step in (0, 8))
        assert before.value < before.original - 0.1
        assert after.value > before.value + 0.1  # … and knows it again, retrain does not
        assert after.value > after.retrain + 0.15
    assert values[f"relearn/{PATH}"].value > 0.05


def test_the_original_is_ahead_from_the_start_and_retrain_never(scenario, judged):
    values = judged(scenario.retrain().model)
    assert values["relearn"].value == 0.0 == values[f"relearn/{PATH}"].value
    assert values[f"relearn/{PATH}"].original > 0.15
    start = values[f"relearn/{PATH}/held_out_0"]
    assert start.original > start.value + 0.1
