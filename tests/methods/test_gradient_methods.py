"""What the gradient-based methods have in common: their settings, paths, patience and divergence."""

from __future__ import annotations

import pytest
from labelled_toys import OnePath
from toys import toy_problem

from mmulbench.core.descent import GradientConfig
from mmulbench.core.registry import METHODS

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


@pytest.mark.parametrize("path", ["contrastive", "matching"])
@pytest.mark.parametrize("name", RETRIEVAL)
def test_on_models_with_a_single_path(name, path, quick_method):
    given = toy_problem(original=OnePath(path))
    given.fresh_model = lambda seed: OnePath(path)
    with given.meter:
        model = quick_method(name, batch_size=2).unlearn(given)
    assert model.paths == (path,)
    assert all(value.isfinite().all() for value in model.state_dict().values())


@pytest.mark.parametrize("name", [name for name in RETRIEVAL if name not in ("l1_sparse", "bad_teacher")])
def test_patience_stops_and_restores(name, quick_method):
    """With this learning rate validation pairs soon get worse (except under an l1 penalty or a teacher)."""
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
