"""What the gradient-based methods have in common, on every kind of task, backbone and association path."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from labelled_toys import OnePath
from toys import changed, state_of, toy_problem

from mmulbench.core.method import GradientConfig
from mmulbench.core.registry import METHODS, TASKS
from mmulbench.runs.prepare import find_backbone, prepare
from mmulbench.runs.references import load_original
from mmulbench.runs.unlearn import make_problem

NAMES = [
    "bad_teacher",
    "cf_k",
    "delete",
    "eu_k",
    "grad_diff",
    "l1_sparse",
    "neggrad_plus",
    "npo",
    "random_label",
    "salun",
]
RETRIEVAL = [name for name in NAMES if name != "delete"]


@pytest.mark.parametrize("name", NAMES)
def test_no_method_is_favoured(name):
    config, shared = METHODS.get(name).Config(), GradientConfig()
    for field in ("epochs", "lr", "batch_size", "patience"):
        assert getattr(config, field) == getattr(shared, field)


class Counting:
    """Progress that counts."""

    def __init__(self):
        self.bars = []

    def counter(self, total, description):
        bar = [description, 0, total]
        self.bars.append(bar)

        def tick():
            bar[1] += 1

        return tick


@pytest.fixture(scope="module", params=["flags_ve/albef:tiny", "emoji_nlvr/albef:tiny", "hpo_pgr/gtnn:tiny"])
def make(request, make_workspace):
    """Problems of a classification task: three classes, pairs of images, graph and text."""
    name, _, backbone = request.param.partition("/")
    cls, workspace = TASKS.get(name), make_workspace()
    task = cls(cls.Config(limit=60))
    recipe = replace(task.recipe, epochs=1, batch_size=32)
    prepared = prepare(name, task, find_backbone(backbone, task), recipe, workspace)
    original = load_original(prepared, 42, workspace)[0]
    units = task.forget_units(prepared.data, 5, 42)
    return partial(make_problem, original, units, prepared, 42, workspace)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_on_classification(name, make, quick_method):
    problem = make()
    problem.progress = Counting()
    assert problem.retain.split.label is not None
    before = state_of(problem.original)
    with problem.meter:
        model = quick_method(name).unlearn(problem)
    assert not changed(before, problem.original)
    assert changed(before, model)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    cost = problem.meter.cost()
    assert cost.steps > 0 and cost.samples > 0 and cost.flops > 0
    assert problem.progress.bars and all(done == total for _, done, total in problem.progress.bars)
    torch.manual_seed(9)
    assert not changed(state_of(model), quick_method(name).unlearn(make()))


@pytest.mark.parametrize("path", ["contrastive", "matching"])
@pytest.mark.parametrize("name", RETRIEVAL)
def test_on_models_with_a_single_path(name, path, quick_method):
    given = toy_problem(original=OnePath(path))
    given.fresh_model = partial(OnePath, path)
    with given.meter:
        model = quick_method(name, batch_size=2).unlearn(given)
    assert model.paths == (path,)
    assert all(value.isfinite().all() for value in model.state_dict().values())


@pytest.mark.parametrize("name", [name for name in RETRIEVAL if name != "l1_sparse"])
def test_patience_stops_and_restores(name, quick_method):
    """With this learning rate validation pairs soon get worse (under an l1 penalty they do not)."""
    steps = []
    for epochs, patience in ((1, 0), (9, 2)):
        given = toy_problem()
        quick_method(name, epochs=epochs, patience=patience, lr=0.3, batch_size=4).unlearn(given)
        steps.append(given.meter.cost().steps)
    assert steps[0] < steps[1] < 9 * steps[0]


@pytest.mark.parametrize("name", RETRIEVAL)
def test_a_huge_learning_rate_is_recorded_as_diverged(name, record, quick_method):
    found = record(quick_method(name, lr=1e30, epochs=3), name)
    assert found.status == "diverged" and found.reason.startswith("unlearn: ")


def test_delete_is_recorded_as_not_applicable_to_retrieval(record, quick_method):
    found = record(quick_method("delete"), "delete")
    assert found.status == "not_applicable" and "retrieval has no classes" in found.reason
