from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from toys import CPU, changed, state_of, toy_problem

from mmulbench.backbones.gtnn import GtnnBackbone
from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.data import Features, PairData, Relations, Split
from mmulbench.core.registry import TASKS
from mmulbench.errors import NotApplicable
from mmulbench.methods._deletion import Deletion, layer_outputs, with_operators
from mmulbench.methods.gnndelete import GnnDelete, graph_encoder, operators
from mmulbench.seeds import torch_seeded

NAMES = ("cat", "dog", "sea", "tree", "house", "star", "moon", "sun")
ROW = np.array([[i, i + 1] for i in range(7)] + [[i + 1, i] for i in range(7)]).T
"""Nodes 0 to 7 in a row, edges both ways."""

mse = torch.nn.functional.mse_loss


@pytest.fixture(scope="module")
def graph():
    return GtnnBackbone("tiny").prepare("graph", RawItems(texts=NAMES, edges=ROW), lambda items, *_: items)


@pytest.fixture
def model():
    with torch_seeded(0, "gnndelete"):
        return GtnnBackbone("tiny").build(TaskShape(2, 1)).eval().requires_grad_(False)


@pytest.fixture
def problem(graph, model):
    """Node 0 is deleted; nodes 5 and 6 stay. Two layers: the operators act on nodes 0, 1 and 0, 1, 2."""
    whole = {name: value for name, value in graph.items() if name != "node"}
    text = {"ids": torch.ones(3, 12, dtype=torch.long), "mask": torch.ones(3, 12, dtype=torch.bool)}
    arrays = {"graph": {"node": torch.arange(8)}, "text": text}
    groups = {"graph": torch.tensor([[0], [5], [6]])}
    features = Features(arrays, CPU, groups, {"graph": whole})
    train = Split(np.arange(3), np.arange(3), np.array([0, 1, 1]))
    given = toy_problem()

    def data(split):
        return PairData(split, Relations(train), features, ("graph", "text"), "pair")

    given.original = model
    given.forget, given.retain = data(train.only(np.array([0]))), data(train.without(np.array([0])))
    given.validation = given.retain
    return given


def test_operators_act_within_as_many_hops_as_layers(graph, model):
    found = with_operators(model.graph, torch.tensor([3]), graph)
    assert [operator.mask.nonzero()[:, 0].tolist() for operator in found] == [[2, 3, 4], [1, 2, 3, 4, 5]]


def test_operators_begin_as_nothing(graph, model):
    before = model.graph.nodes(graph)
    with_operators(model.graph, torch.tensor([0, 7]), graph)
    assert torch.allclose(model.graph.nodes(graph), before, atol=1e-6)


def test_an_operator_multiplies_the_nodes_of_its_mask():
    norm = torch.nn.LayerNorm(2)
    operator = Deletion(norm, torch.tensor([True, False]))
    operator.weight.data = torch.tensor([[0.0, 2.0], [3.0, 0.0]])
    nodes = torch.tensor([[1.0, -1.0], [1.0, -1.0]])
    first, second = norm(nodes)
    assert torch.allclose(operator(nodes), torch.stack([first @ operator.weight, second]))


def test_no_gradient_flows_to_the_layers_before(graph, model):
    first, second = with_operators(model.graph, torch.tensor([0]), graph)
    layer_outputs(model.graph, graph)[1].sum().backward()
    assert first.weight.grad is None and second.weight.grad is not None
    assert not any(norm._forward_hooks for norm in model.graph.norms)


def loss_with(problem, alpha, change=None):
    method = GnnDelete(GnnDelete.Config(alpha=alpha))
    model = method.start(problem)
    if change is not None:
        for operator in operators(model):
            operator.weight.data.mul_(change)
    batch = problem.forget.batch(np.array([0]))
    with torch_seeded(0, "loss"):
        return method.loss_of(model, problem)(batch).item(), batch


def test_deleted_nodes_go_where_random_retained_ones_were(problem):
    """Either retained node may be drawn; the loss is that of one of them."""
    found, batch = loss_with(problem, 1.0)
    layers = layer_outputs(problem.original.graph, batch.inputs("graph"))
    possible = [sum(mse(z[0], z[node]).item() for z in layers) for node in (5, 6)]
    assert any(found == pytest.approx(one, rel=1e-5) for one in possible)
    assert found > 0.1


def test_near_nodes_stay_where_they_were(problem):
    """Halved by the operators: node 1 in layer 1, whose effect layer 2 sees; nodes 1 and 2 in layer 2."""
    assert loss_with(problem, 0.0)[0] == pytest.approx(0, abs=1e-6)
    found, batch = loss_with(problem, 0.0, change=0.5)
    model = GnnDelete().start(problem)
    for operator in operators(model):
        operator.weight.data.mul_(0.5)
    models: tuple[Any, Any] = (model, problem.original)
    now, then = (layer_outputs(one.graph, batch.inputs("graph")) for one in models)
    expected = mse(now[0][[1]], then[0][[1]]) + mse(now[1][[1, 2]], then[1][[1, 2]])
    assert found == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(now[0][1], then[0][1] / 2)


def test_only_operators_train_and_they_stay_in_the_model(problem):
    before = state_of(problem.original)
    model = GnnDelete(GnnDelete.Config(epochs=20, lr=0.02)).unlearn(problem)
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {
        "graph.norms.0.weight",
        "graph.norms.1.weight",
    }
    after = model.state_dict()
    for name, value in before.items():
        place, _, last = name.rpartition(".")
        moved = f"{place}.norm.{last}" if place.startswith("graph.norms") else name
        assert torch.equal(after[moved], value), name
    assert not changed(before, problem.original)
    inputs = problem.forget.features.gather("graph", torch.tensor([0, 1]))
    moved = (model.encode("graph", inputs).pooled - problem.original.encode("graph", inputs).pooled).norm(
        dim=1
    )
    assert moved[0] > 0.1 and moved[1] == 0, "nodes beyond the hops do not move"


def test_a_graph_without_room_around_the_deleted_nodes(problem):
    """All nodes that the operators act on are deleted ones: nothing has to be kept."""
    problem.forget.features.groups["graph"][0] = 0
    problem.forget.features.whole["graph"]["edges"] = torch.tensor([[7], [6]])
    model = GnnDelete(GnnDelete.Config(epochs=1)).unlearn(problem)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_needs_a_graph():
    assert GnnDelete.applies_to(TASKS.get("hpo_pgr")()) is None
    assert "images have no graph" in GnnDelete.applies_to(TASKS.get("emoji")())
    with pytest.raises(NotApplicable, match="graph encoder of backbone gtnn, not a Toy"):
        graph_encoder(toy_problem().original)
