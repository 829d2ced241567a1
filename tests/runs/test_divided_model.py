"""A model divided between processes gives what it gives in one: outputs, gradients, trained weights."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from teams import Team

from mmulbench import processes
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.conformance.method_trial import QUICK
from mmulbench.conformance.tiny_tasks import TINY_TASKS
from mmulbench.core.cost import CostMeter
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.registry import METHODS
from mmulbench.core.training import Checkpoints, fit
from mmulbench.device import use_device
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.measure import measure
from mmulbench.progress import Progress
from mmulbench.records.store import ResultsStore
from mmulbench.runs.prepare import PreparedTask, Workspace, prepare
from mmulbench.runs.references import fresh_model
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.unlearn import unlearn
from mmulbench.seeds import torch_seeded

SEED = 42
CPU = torch.device("cpu")
BY_NAME = {kind.name: kind for kind in TINY_TASKS}


def opened(kind: str, folder: Path) -> PreparedTask:
    workspace = Workspace(ArtifactCache(folder / "cache"), ResultsStore(folder), folder, use_device("cpu"))
    task = BY_NAME[kind].task()
    return prepare(kind, task, BY_NAME[kind].backbone(), task.recipe, workspace)


def arrays(tensors) -> dict[str, np.ndarray]:
    return {name: value.detach().double().numpy() for name, value in tensors.items()}


def assert_equal_everywhere(first, *others) -> None:
    for other in others:
        for name, value in first.items():
            np.testing.assert_array_equal(other[name], value, err_msg=name)


def assert_close(found, wanted, rtol: float, atol: float) -> None:
    for name, value in wanted.items():
        same = found[name]
        if name.endswith("in_proj_bias"):
            # The keys' part has no effect and so no gradient, only rounding, which AdamW makes into steps.
            value, same = (np.delete(part.reshape(3, -1), 1, 0) for part in (value, same))
        np.testing.assert_allclose(same, value, rtol=rtol, atol=atol, err_msg=name)


SIZES = [("retrieval", 7), ("retrieval", 12), ("relations", 5)]


def gradients(folder: Path) -> list[tuple[float, dict[str, np.ndarray], int]]:
    """Of the task's own loss on batches: loss, every parameter's gradient, how often tensors were sent."""
    found = []
    for kind, rows in SIZES:
        prepared = opened(kind, folder)
        model = fresh_model(prepared, SEED).train()
        batch = prepared.pairs(prepared.data.train).batch(np.arange(rows))
        before = processes.exchanges()
        with torch_seeded(SEED, "test"):
            loss = model(batch).loss
        grads = torch.autograd.grad(loss, list(model.parameters()), materialize_grads=True)
        named = dict(zip((name for name, _ in model.named_parameters()), grads, strict=True))
        found.append((loss.item(), arrays(named), processes.exchanges() - before))
    return found


@pytest.fixture(scope="module")
def two():
    with Team(2) as team:
        yield team


@pytest.fixture(scope="module")
def three():
    with Team(3) as team:
        yield team


@pytest.mark.slow
@pytest.mark.parametrize("team", ["two", "three"])
def test_gradients_are_those_of_one_process(team, request, tmp_path):
    alone, found = gradients(tmp_path), request.getfixturevalue(team)(gradients, tmp_path)
    for (loss, wanted, none), *members in zip(alone, *found, strict=True):
        assert none == 0
        assert_equal_everywhere(*(found for _, found, _ in members))
        for other, found, sent in members:
            assert sent > 0
            assert other == pytest.approx(loss, rel=1e-6)
            assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_fewer_rows_than_processes_are_computed_whole(three, tmp_path):
    alone, (found, *_) = few_rows(tmp_path), three(few_rows, tmp_path)
    assert [sent for _, sent in found] == [
        0,
        0,
        3 + 3 + 1,
    ]  # tokens, masks and pooled outputs of both sides, and what is fused
    for (value, _), (wanted, _) in zip(found, alone, strict=True):
        np.testing.assert_allclose(value, wanted, atol=1e-6)


def few_rows(folder: Path) -> list[tuple[np.ndarray, int]]:
    """Fused representations of two pairs, of three while somebody listens to a layer, and of three."""
    prepared = opened("retrieval", folder)
    model = fresh_model(prepared, SEED).eval()
    data, found = prepared.pairs(prepared.data.train), []
    for rows, listener in ((2, None), (3, lambda *_: None), (3, None)):
        handle = model.matching.register_forward_hook(listener) if listener else None
        before = processes.exchanges()
        with torch.no_grad():
            fused = model.fuse(*model.encode_batch(data.batch(np.arange(rows))))
        found.append((fused.numpy(), processes.exchanges() - before))
        if handle:
            handle.remove()
    return found


def trained(folder: Path, dropout: float = 0.0) -> list[dict[str, np.ndarray]]:
    """Weights after 20 steps on batches of seven."""
    found = []
    for kind in ("retrieval", "relations"):
        prepared = opened(kind, folder)
        prepared.backbone.config = replace(prepared.backbone.config, dropout=dropout)
        model = fresh_model(prepared, SEED)
        data = prepared.pairs(prepared.data.train)
        recipe = replace(prepared.recipe, batch_size=7, epochs=-(-20 // data.steps(7)))
        with CostMeter(CPU) as meter:
            fit(model, data, recipe, SEED, meter, Progress(), "train", Checkpoints())
        assert meter.cost().steps >= 20
        found.append(arrays(model.state_dict()))
    return found


@pytest.mark.slow
def test_training_ends_at_the_weights_of_one_process(two, tmp_path):
    alone = trained(tmp_path)
    for wanted, *found in zip(alone, *two(trained, tmp_path), strict=True):
        assert_equal_everywhere(*found)
        assert_close(found[0], wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_with_dropout_the_processes_agree(two, tmp_path):
    without = trained(tmp_path)
    for plain, *found in zip(without, *two(trained, tmp_path, 0.2), strict=True):
        assert_equal_everywhere(*found)
        assert any(abs(found[0][name] - value).max() > 1e-3 for name, value in plain.items())


WHOLE = {"fisher", "gnndelete", "l_codec", "ssd"}
"""Methods that go through a model pair by pair, or listen to its layers: every process does all of it."""

MEASURED = {"finetune", "gnndelete"}
"""Methods whose models are measured: one of the backbone's form, one of a form that the method gives it."""

SETTINGS = {**QUICK, "damping": 1.0}
"""Undamped, L-CODEC's steps and noise on so few pairs are in the thousands, and so is every rounding."""


@dataclass
class Unlearned:
    weights: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]
    flops: float | None


def unlearned(kind: str, folder: Path) -> dict[str, Unlearned]:
    """What every method that applies makes of a problem, and how some of the models score all pairs then."""
    prepared = opened(kind, folder)
    scenario = Scenario(prepared, ForgetSet(prepared.task.forget_units(prepared.data, 5, SEED)), SEED)
    found = {}
    for name in METHODS.names():
        cls = METHODS.get(name)
        if cls.applies_to(prepared.task) is not None:
            continue
        known = {field.name for field in fields(cls.Config)}
        method = cls(replace(cls.Config(), **{key: SETTINGS[key] for key in SETTINGS if key in known}))
        try:
            made = unlearn(method, scenario.problem())
        except NotApplicable:
            continue
        measured = measure(made.model, scenario.sets, SEED, Progress()).scores if name in MEASURED else {}
        by_set = {
            f"{path}/{name}": value for path, sets_ in measured.items() for name, value in sets_.items()
        }
        found[name] = Unlearned(arrays(made.model.state_dict()), by_set, made.cost.flops)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["retrieval", "relations"])
def test_every_method_ends_at_the_model_of_one_process(kind, two, tmp_path):
    alone = unlearned(kind, tmp_path)  # leaves the original there, so that all start from the same one
    first, second = two(unlearned, kind, tmp_path)
    assert alone.keys() == first.keys() == second.keys()
    assert {name for name, one in alone.items() if one.scores} == MEASURED & alone.keys() != set()
    for name, wanted in alone.items():
        assert_equal_everywhere(first[name].weights, second[name].weights)
        assert_close(first[name].weights, wanted.weights, rtol=1e-3, atol=1e-5)
        assert_close(first[name].scores, wanted.scores, rtol=1e-4, atol=1e-4)
        assert first[name].flops == second[name].flops
        if name in WHOLE:
            assert first[name].flops == wanted.flops
        else:
            # Of five rows one is computed by both, and so are graphs and losses.
            assert wanted.flops <= first[name].flops <= 1.25 * wanted.flops


def test_every_method_is_tried():
    kinds = [BY_NAME[kind].task() for kind in ("retrieval", "relations")]
    left_out = {name for name in METHODS.names() if all(METHODS.get(name).applies_to(task) for task in kinds)}
    assert left_out == {"erm_ktp", "unsir"}  # which apply nowhere
