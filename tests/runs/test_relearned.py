"""A record is given what becomes of its models when they are trained on half of the forget set again."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmulbench.errors import UsageError
from mmulbench.metrics.catalogue.relearn import Relearn
from mmulbench.records.store import ResultsStore
from mmulbench.runs import relearned
from mmulbench.runs.added_values import RecordedRun, record_with
from mmulbench.runs.further_metrics import further
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.relearned import judged_by_recovery
from mmulbench.runs.run_spec import make_spec
from mmulbench.validity.record import reason_to_make_again

STEPS = (0, 1, 2)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(Relearn, "steps", STEPS)


@pytest.fixture(scope="module")
def emoji(emoji, tmp_path_factory):
    """The problem of all tests, with records that these tests alone write."""
    store = ResultsStore(tmp_path_factory.mktemp("results"))
    return replace(emoji, workspace=replace(emoji.workspace, store=store))


@pytest.fixture(scope="module")
def run(emoji, quick_method):
    method = quick_method("finetune")
    return Run(make_spec(emoji, "finetune", method, 4, 42), method, "mmulbench run")


@pytest.fixture(scope="module")
def scenario(emoji, run):
    return run.scenario(emoji)


def judge(scenario, model=None):
    models = {"original": scenario.original().model, "retrain": scenario.retrain().model}
    metrics = [Relearn("relearn")]
    return judged_by_recovery(scenario, {"model": model or models["retrain"], **models}, metrics)


def test_a_record_is_given_the_values_and_holds(run, emoji):
    before = execute(run, emoji, "always").result
    assert "relearn" not in before.values
    found = record_with(RecordedRun(before, run, emoji), further(before, ("relearn",), 0))
    new = {name for name in found.values if name not in before.values}
    parts = ["", *(f"/{half}_{step}" for half in ("shown", "held_out") for step in STEPS)]
    paths = before.histograms
    assert new == {"relearn", *(f"relearn/{path}{part}" for path in paths for part in parts)}
    assert (
        reason_to_make_again(found) is None
        and found.run_id == before.run_id
        and found.added[0].metrics == ("relearn",)
    )
    assert found.values["relearn"].retrain == 0.0


def test_retrain_is_0_and_equal_models_are_trained_once(scenario, monkeypatch):
    values, missing = judge(scenario)
    assert missing == []
    for name, value in values.items():
        assert value.value == value.retrain, name
    assert values["relearn"].value == 0.0
    monkeypatch.setattr(relearned, "relearned_losses", None)  # everything lies in the cache
    assert judge(scenario)[0] == values
    models = dict.fromkeys(("model", "original", "retrain"), scenario.retrain().model)
    with pytest.raises(TypeError):  # another seed draws another half, on which nothing was trained
        judged_by_recovery(replace(scenario, seed=scenario.seed + 1), models, [Relearn("relearn")])


def test_a_model_that_diverges_is_said(scenario):
    broken = scenario.problem().copy_of_original()
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter.fill_(torch.nan)
    values, (line,) = judge(scenario, broken)
    assert not values
    assert line.startswith("relearn: the unlearned model diverged while it was trained again: the")


def test_one_unit_has_no_halves(scenario):
    one = replace(scenario, forget=replace(scenario.forget, units=scenario.forget.units[:1]))
    models = dict.fromkeys(("model", "original", "retrain"), scenario.original().model)
    values, (line,) = judged_by_recovery(one, models, [Relearn("relearn")])
    assert not values and line.startswith("relearn: needs at least 2 forget units")


def test_it_needs_a_reference(run, emoji):
    record = execute(replace(run, reference=False), emoji, "always").result
    with pytest.raises(UsageError, match=r"relearn: record .* was made with --no-reference"):
        further(record, ("relearn",), 0)


def test_steps_are_shown(scenario):
    """The headline rests on what is computed after every number of steps, 0 left out."""
    values, _ = judge(scenario, scenario.original().model)
    for path in scenario.original().model.paths:
        leads = [
            values[f"relearn/{path}/{half}_{step}"].value - values[f"relearn/{path}/{half}_{step}"].retrain
            for half in ("shown", "held_out")
            for step in STEPS[1:]
        ]
        assert values[f"relearn/{path}"].value == pytest.approx(sum(leads) / len(leads))
