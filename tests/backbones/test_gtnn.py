from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mmulbench.backbones.gtnn import Gtnn, GtnnBackbone, GtnnConfig, adjacency, ordered_edges
from mmulbench.core.backbone import RawItems, TaskShape
from mmulbench.core.data import Features, Targets
from mmulbench.core.model import own_class_log_odds
from mmulbench.errors import UsageError
from mmulbench.seeds import torch_seeded

CONFIG = GtnnBackbone("tiny").config
NAMES = ("cat", "red heart", "zzz", "a rather long name", "BRCA1", "cleft palate", "seizure", "short stature")
PATH = np.array([[i, i + 1] for i in range(7)] + [[i + 1, i] for i in range(7)]).T
"""Nodes 0 to 7 in a row, edges both ways."""

near: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}


def track(iterable, total, description):
    return iterable


def make(config: GtnnConfig = CONFIG, *, classes: int = 2, nodes: int = 2) -> Gtnn:
    with torch_seeded(0, "gtnn"):
        model = Gtnn(config, classes, nodes)
        for parameter in model.parameters():  # larger than at first, so that every path shows
            if parameter.ndim > 1:
                parameter.data.mul_(2)
    return model.eval()


def graph(edges=PATH, names=NAMES, config: GtnnConfig = CONFIG) -> dict[str, torch.Tensor]:
    backbone = GtnnBackbone("tiny")
    backbone.config = config
    return backbone.prepare("graph", RawItems(texts=names, edges=edges), track)


def encode(model: Gtnn, inputs, items):
    return model.encode("graph", {**inputs, "node": torch.tensor(items)})


def texts(*given: str) -> dict[str, torch.Tensor]:
    return GtnnBackbone("tiny").prepare("text", RawItems(texts=given), track)


def without(*gone: tuple[int, int]) -> np.ndarray:
    return np.array([edge for edge in PATH.T.tolist() if tuple(edge) not in gone]).T


def differs(a: torch.Tensor, b: torch.Tensor) -> bool:
    return bool((a - b).abs().max() > 1e-3)


@pytest.mark.parametrize("conv", ["sage", "gcn", "gat"])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_node_sees_as_many_hops_as_there_are_layers(conv, layers):
    config = replace(CONFIG, conv=conv, layers=layers)
    model = make(config)
    before = encode(model, graph(config=config), [[0, 0]]).tokens
    inside = encode(model, graph(without((layers, layers - 1)), config=config), [[0, 0]]).tokens
    assert differs(before, inside), "the edge that ends in the last hop"
    # GCN weighs a neighbour by its degree, which an edge one hop further decides.
    beyond = layers + (conv == "gcn")
    outside = encode(model, graph(without((beyond + 1, beyond)), config=config), [[0, 0]]).tokens
    assert torch.equal(before, outside)


def test_a_name_counts_as_far_as_its_node_is_seen():
    model = make()
    before = encode(model, graph(), [[0, 0]]).tokens
    for node, seen in ((0, True), (1, True), (2, True), (3, False), (7, False)):
        names = [*NAMES]
        names[node] = "something else"
        assert differs(before, encode(model, graph(names=names), [[0, 0]]).tokens) is seen, node


@pytest.mark.parametrize("conv", ["sage", "gcn", "gat"])
def test_neither_the_numbers_of_nodes_nor_the_order_of_edges_matter(conv):
    config = replace(CONFIG, conv=conv)
    model, rng = make(config), np.random.default_rng(0)
    before = encode(model, graph(config=config), [[0, 5], [2, 3]])
    place = rng.permutation(len(NAMES))  # node i becomes node place[i]
    names = [NAMES[i] for i in np.argsort(place)]
    edges = place[PATH][:, rng.permutation(PATH.shape[1])]
    after = encode(model, graph(edges, names, config), place[[[0, 5], [2, 3]]].tolist())
    torch.testing.assert_close(after.tokens, before.tokens, **near)
    torch.testing.assert_close(after.pooled, before.pooled, **near)


def test_items_do_not_touch_each_other():
    model, inputs = make(), graph()
    together = encode(model, inputs, [[0, 5], [2, 3], [0, 5]])
    alone = encode(model, inputs, [[2, 3]])
    torch.testing.assert_close(together.tokens[1:2], alone.tokens, **near)
    assert torch.equal(together.tokens[0], together.tokens[2])
    assert together.tokens.shape == (3, 2, CONFIG.width) and together.mask.all()
    assert torch.equal(together.pooled, together.tokens.flatten(1))
    assert torch.equal(together.tokens[0], encode(model, inputs, [[5, 0]]).tokens[0].flip(0))


@pytest.mark.parametrize("conv", ["sage", "gcn"])
def test_the_sparse_matrix_gives_what_torch_geometric_gives_for_edges(conv):
    from torch_geometric.nn import GCNConv, SAGEConv

    edges = torch.tensor([[0, 1, 2, 2, 4], [1, 0, 1, 3, 0]])
    torch.manual_seed(0)
    nodes = torch.randn(5, 6, requires_grad=True)
    own, plain = (SAGEConv(6, 4),) * 2 if conv == "sage" else (GCNConv(6, 4, normalize=False), GCNConv(6, 4))
    plain.load_state_dict(own.state_dict())
    found = own(nodes, adjacency(ordered_edges(edges, 5, conv), 5, conv))
    expected = plain(nodes, edges)
    torch.testing.assert_close(found, expected, **near)
    gradients = [
        torch.autograd.grad(out.square().sum(), nodes, retain_graph=True)[0] for out in (found, expected)
    ]
    torch.testing.assert_close(*gradients, **near)


def test_edges_are_kept_once_and_ordered_by_target():
    edges = torch.tensor([[3, 0, 3, 1], [0, 1, 0, 0]])
    assert ordered_edges(edges, 4, "sage").tolist() == [[1, 3, 0], [0, 0, 1]]
    assert ordered_edges(edges, 4, "gcn").tolist() == [[0, 1, 3, 0, 1, 2, 3], [0, 0, 0, 1, 1, 2, 3]]
    assert ordered_edges(edges[:, :0], 4, "sage").shape == (2, 0)


@pytest.mark.parametrize("node", [-1, 8])
def test_edges_to_nodes_that_do_not_exist(node):
    with pytest.raises(ValueError, match="there are 8 nodes"):
        graph(np.array([[0], [node]]))


def test_a_node_without_edges_is_encoded_from_its_name():
    model = make()
    lonely = encode(model, graph(without((1, 0), (0, 1))), [[0, 0]]).tokens
    assert lonely.isfinite().all()
    assert differs(lonely, encode(model, graph(), [[0, 0]]).tokens)


def pair_of_sides(model: Gtnn):
    return (
        encode(model, graph(), [[0, 5], [2, 3], [6, 1]]),
        model.encode("text", texts("a red heart", "seizure", "x")),
    )


def test_forward_encoded_is_fuse_head_and_cross_entropy():
    model = make()
    graphs, text = pair_of_sides(model)
    labels = torch.tensor([0, 1, 1])
    found = model.forward_encoded(graphs, text, Targets(torch.eye(3, dtype=torch.bool), labels))
    logits = model.head(model.fuse(graphs, text))
    assert torch.equal(found.logits["classification"], logits)
    expected = -logits.log_softmax(1)[range(3), labels].mean()
    torch.testing.assert_close(found.loss, expected, **near)
    assert torch.equal(
        model.association(graphs, text, labels)["classification"], own_class_log_odds(logits, labels)
    )
    assert torch.equal(found.unimodal["graph"], graphs.pooled)
    assert torch.equal(model.logits(graphs, text, found.fused)["classification"], logits)


def test_groups_of_three_nodes():
    with torch_seeded(0, "gtnn"):
        model = GtnnBackbone("tiny").build(TaskShape(2, 3)).eval()
    sides = encode(model, graph(), [[0, 5, 2]]), model.encode("text", texts("x"))
    assert model.head(model.fuse(*sides)).shape == (1, 2)


def test_it_needs_a_graph():
    with pytest.raises(UsageError, match="gtnn needs a graph"):
        GtnnBackbone("tiny").prepare("graph", RawItems(texts=NAMES), track)


def test_what_belongs_to_the_whole_graph_is_handed_out_whole():
    inputs, whole = graph(), GtnnBackbone.whole
    features = Features(
        {"graph": {name: value for name, value in inputs.items() if name not in whole}},
        torch.device("cpu"),
        {"graph": torch.tensor([[0, 5], [2, 3], [6, 1]])},
        {"graph": {name: value for name, value in inputs.items() if name in whole}},
    )
    found = features.gather("graph", torch.tensor([2, 0]))
    assert set(found) == set(inputs)
    assert found["node"].tolist() == [[6, 1], [0, 5]]
    assert all(torch.equal(found[name], inputs[name]) for name in whole & set(inputs))
    assert set(inputs) - whole == {"node"}


def test_packaged_inputs_are_mean_embeddings():
    backbone = GtnnBackbone("packaged")
    inputs = backbone.prepare("graph", RawItems(texts=NAMES[:3], edges=np.array([[0], [1]])), track)
    assert inputs["names"].shape == (3, 384) and inputs["names"].dtype == torch.float32
    found = backbone.prepare("text", RawItems(texts=NAMES[:3]), track)
    assert found["tokens"].shape == (3, 1, 384) and found["tokens"].isfinite().all()
    torch.testing.assert_close(found["tokens"][:, 0], inputs["names"], rtol=1e-2, atol=1e-2)
    alone = backbone.prepare("text", RawItems(texts=NAMES[1:2]), track)["tokens"]
    torch.testing.assert_close(alone[0], found["tokens"][1], rtol=1e-2, atol=1e-2)
    with torch_seeded(0, "gtnn"):
        model = backbone.build(TaskShape(2, 2))
    assert model.encode("text", found).tokens.shape == (3, 1, backbone.config.width)
