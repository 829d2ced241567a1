"""GTNN: a graph neural network over all relations, a text encoder, and a fusion of nodes with a text."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from mmulbench.backbones import _packaged_encoders
from mmulbench.backbones._encoders import Encoder, ProjectedTokens, TextTransformer, all_real, masked_mean
from mmulbench.core.backbone import Backbone, RawItems, TaskShape
from mmulbench.core.data import Inputs
from mmulbench.core.model import ClassificationModel, EncoderOutput
from mmulbench.core.registry import BACKBONES
from mmulbench.errors import UsageError
from mmulbench.packages import package_folder
from mmulbench.progress import Track

Conv = Literal["sage", "gcn", "gat"]


@dataclass(frozen=True)
class GtnnConfig:
    """Describes the size of a GTNN model.

    Attributes:
        encoders: ``packaged``: nodes start from frozen MiniLM embeddings of their names, and a text is one
            token, MiniLM's embedding of it; ``trained``: both from word pieces, trained end to end.
        conv: graph layer: GraphSAGE (arXiv 1706.02216, mean), GCN (1609.02907) or GAT (1710.10903).
        layers: graph layers; a node sees this many hops.
        width: width of nodes, tokens and fused representations.
        text_length: tokens of a text, [CLS] and [SEP] included.
        name_length: tokens of a node's name, [CLS] and [SEP] included.
        heads: attention heads (GAT; text encoder if ``trained``).
        text_layers: BERT layers (``trained`` only).
        dropout: in projections, graph layers and fusion.
    """

    encoders: Literal["packaged", "trained"]
    conv: Conv
    layers: int
    width: int
    text_length: int
    name_length: int = 12
    heads: int = 4
    text_layers: int = 0
    dropout: float = 0.0


class GraphEncoder(Encoder):
    """Encodes nodes by embeddings and residual graph layers over the whole graph.

    Reads ``node`` (b, k): the nodes of each item, or (b,) where items are single nodes; and of the whole
    graph ``edges`` (2, e): sources and targets, ordered by target; and either ``names`` (n, 384) embeddings
    or ``name_ids`` and ``name_mask`` (n, l) word pieces.
    """

    def __init__(self, config: GtnnConfig) -> None:
        super().__init__()
        width = config.width
        self._conv = config.conv
        if config.encoders == "packaged":
            self.words: nn.Embedding | None = None
            self.embed = nn.Sequential(
                nn.LayerNorm(_packaged_encoders.TEXT_WIDTH), nn.Linear(_packaged_encoders.TEXT_WIDTH, width)
            )
        else:
            self.words = nn.Embedding(_packaged_encoders.VOCABULARY, width)
            self.embed = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))
        self.layers = nn.ModuleList(_conv(config) for _ in range(config.layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(config.layers))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, inputs: Inputs) -> EncoderOutput:
        """Return each item's nodes as tokens; the unimodal representation is all of them side by side."""
        node = inputs["node"]
        tokens = self.nodes(inputs)[node.reshape(len(node), -1)]
        return EncoderOutput(tokens, all_real(tokens), tokens.flatten(1))

    def nodes(self, inputs: Inputs) -> Tensor:
        """Return (n, width) every node's output."""
        nodes: Tensor
        if self.words is None:
            nodes = self.embed(inputs["names"])
        else:
            nodes = self.embed(masked_mean(self.words(inputs["name_ids"].long()), inputs["name_mask"]))
        graph = adjacency(inputs["edges"], len(nodes), self._conv)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            nodes = norm(nodes + self.dropout(layer(nodes, graph).relu()))
        return nodes


class Gtnn(ClassificationModel):
    """Implements a graph-text neural network for the class of the relation between a text's nodes.

    The fusion is a two-layer perceptron on the nodes, the text, and the element-wise products of each two of
    them, which say how alike they are. The graph is the same for every item and holds none of the relations
    that are asked for: that is the task's promise.
    """

    modalities = ("graph", "text")

    def __init__(self, config: GtnnConfig, classes: int, nodes: int) -> None:
        super().__init__()
        width, dropout = config.width, config.dropout
        self.graph = GraphEncoder(config)
        if config.encoders == "packaged":
            self.text: Encoder = ProjectedTokens(_packaged_encoders.TEXT_WIDTH, width, dropout)
        else:
            self.text = TextTransformer(
                _packaged_encoders.VOCABULARY,
                config.text_length,
                width,
                config.text_layers,
                config.heads,
                dropout,
            )
        parts = nodes + 1
        self.fusion = nn.Sequential(
            nn.Linear((parts + parts * (parts - 1) // 2) * width, 2 * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
            nn.ReLU(),
        )
        self.classes = nn.Linear(width, classes)

    def encode(self, modality: str, inputs: Inputs) -> EncoderOutput:
        """Return tokens, mask and unimodal representation of b groups of nodes, or texts."""
        encoder = self.graph if modality == "graph" else self.text
        return encoder(inputs)

    def fuse(self, a: EncoderOutput, b: EncoderOutput) -> Tensor:
        """Return (n, width): nodes, mean text token, and their products."""
        parts = [*a.tokens.unbind(1), masked_mean(b.tokens, b.mask)]
        products = [one * other for i, one in enumerate(parts) for other in parts[:i]]
        fused: Tensor = self.fusion(torch.cat([*parts, *products], -1))
        return fused

    def head(self, fused: Tensor) -> Tensor:
        """Return (n, classes) logits."""
        logits: Tensor = self.classes(fused)
        return logits

    def fusion_parameters(self) -> list[nn.Parameter]:
        """Return perceptron and head."""
        return [*self.fusion.parameters(), *self.classes.parameters()]


def adjacency(edges: Tensor, nodes: int, conv: Conv) -> Tensor:
    """Return what a graph layer reads: the edges themselves (GAT), or a sparse matrix, which is faster.

    Args:
        edges: (2, e) sources and targets, ordered by target.
        nodes: n.
        conv: the kind of layer.

    Returns:
        (2, e), or (n, n) sparse rows: row i holds node i's neighbours with weight 1 (SAGE, which takes their
        mean), or 1 / sqrt(degree · degree) (GCN, whose edges hold every node's self-loop).
    """
    if conv == "gat":
        return edges
    source, target = edges
    degree = torch.bincount(target, minlength=nodes)
    starts = nn.functional.pad(degree.cumsum(0), (1, 0))
    if conv == "gcn":
        scale = degree.clamp(min=1).rsqrt()
        weight = scale[source] * scale[target]
    else:
        weight = torch.ones(len(source), device=edges.device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state")
        return torch.sparse_csr_tensor(starts, source, weight, (nodes, nodes), check_invariants=False)


def ordered_edges(edges: Tensor, nodes: int, conv: Conv) -> Tensor:
    """Return (2, e) distinct edges in order of target, then source; with every node's self-loop for GCN.

    Args:
        edges: (2, e) sources and targets.
        nodes: number of nodes.
        conv: kind of graph layer.

    Raises:
        ValueError: when an edge names a node that does not exist.
    """
    if edges.numel() and not 0 <= int(edges.min()) <= int(edges.max()) < nodes:
        raise ValueError(f"edges name nodes from {edges.min()} to {edges.max()}, but there are {nodes} nodes")
    if conv == "gcn":
        edges = torch.cat([edges, torch.arange(nodes).expand(2, -1)], 1)
    keys = torch.unique(edges[1] * nodes + edges[0])
    return torch.stack([keys % nodes, keys // nodes])


def _embeddings(texts: list[str], length: int, track: Track) -> Tensor:
    """Return (n, 384) MiniLM's embedding of each text: the mean of its tokens."""
    found = _packaged_encoders.text_tokens(texts, length, track)
    return masked_mean(found["tokens"].float(), found["mask"])


def _conv(config: GtnnConfig) -> nn.Module:
    package_folder("torch_geometric", "the backbone gtnn")
    from torch_geometric.nn import GATConv, GCNConv, SAGEConv

    width = config.width
    if config.conv == "sage":
        layer: nn.Module = SAGEConv(width, width)
    elif config.conv == "gcn":
        layer = GCNConv(width, width, normalize=False)
    else:
        layer = GATConv(width, width // config.heads, config.heads)
    return layer


@BACKBONES.register("gtnn")
class GtnnBackbone(Backbone):
    """Builds a GNN and text encoder for relations between a graph's nodes."""

    name = "gtnn"
    modalities = ("graph", "text")
    serves = ("classification", "group classification")
    whole = frozenset({"edges", "names", "name_ids", "name_mask"})
    variants: ClassVar[Mapping[str, GtnnConfig]] = {
        "packaged": GtnnConfig("packaged", "sage", 3, 64, 32, dropout=0.2),
        "gcn": GtnnConfig("packaged", "gcn", 3, 64, 32, dropout=0.2),
        "gat": GtnnConfig("packaged", "gat", 3, 64, 32, dropout=0.2),
        "tiny": GtnnConfig("trained", "sage", 2, 16, 12, 8, heads=2, text_layers=1),
    }
    config: GtnnConfig

    def prepare(self, modality: str, items: RawItems, track: Track) -> Inputs:
        """Return ordered edges and nodes' names, or texts, as frozen features or word pieces.

        Raises:
            UsageError: where the task gives no graph, or a package is missing.
        """
        frozen, texts = self.config.encoders == "packaged", list(items.texts or ())
        if modality == "text":
            if frozen:
                return {"tokens": _embeddings(texts, self.config.text_length, track)[:, None]}
            ids, mask = _packaged_encoders.tokenize(texts, self.config.text_length)
            return {"ids": ids, "mask": mask}
        if items.edges is None:
            raise UsageError("the backbone gtnn needs a graph, but the task gives no edges (RawItems.edges)")
        edges = ordered_edges(torch.from_numpy(items.edges), len(texts), self.config.conv)
        inputs = {"node": torch.arange(len(texts)), "edges": edges}
        if frozen:
            return {**inputs, "names": _embeddings(texts, self.config.name_length, track)}
        ids, mask = _packaged_encoders.tokenize(texts, self.config.name_length)
        return {**inputs, "name_ids": ids, "name_mask": mask}

    def build(self, shape: TaskShape = TaskShape()) -> Gtnn:  # noqa: B008 (frozen)
        """Return a fresh model for classification.

        Raises:
            UsageError: where torch-geometric is missing.
        """
        return Gtnn(self.config, shape.classes, shape.group)
