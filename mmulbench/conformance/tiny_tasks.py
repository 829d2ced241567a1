"""A tiny task of every kind, made of random numbers, without a download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mmulbench.backbones.albef import Albef, AlbefBackbone, AlbefClassifier
from mmulbench.backbones.gtnn import Gtnn, GtnnBackbone, ordered_edges
from mmulbench.cache.block_layout import Blockwise
from mmulbench.core.backbone import Backbone, RawItems, TaskShape
from mmulbench.core.data import Inputs, Integers, Split
from mmulbench.core.task import Task, TaskData
from mmulbench.core.training import Recipe
from mmulbench.progress import Progress, Track
from mmulbench.seeds import generator

UNITS = {"train": 16, "validation": 4, "test": 4}
"""Forget units by split; even, since units share texts in twos."""

WORDS = 64
"""Size of the vocabulary: the real one would be nearly all of a tiny model's weights, and of its time."""

PARTS = sum(UNITS.values())
"""Images, or nodes of the graph: as many as units."""


class TinyTask(Task):
    """Has 24 units with a text of their own and one shared with a neighbour each; labels take turns."""

    modalities = ("image", "text")
    default_backbone = "albef:tiny"
    recipe = Recipe(epochs=1, batch_size=8)

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Make the data; ``data_dir`` is not read."""
        rng = generator(0, "contract items")
        other = (np.arange(PARTS) + PARTS // 2) % PARTS
        groups = np.stack([np.arange(PARTS), other], 1) if self.group == 2 else None
        if self.modalities[0] == "graph":
            names = [f"node {i}" for i in range(PARTS)]
            first = RawItems(texts=names, groups=groups, edges=_ring())
        else:
            images = rng.integers(0, 256, (PARTS, 32, 32, 3), dtype=np.uint8)
            first = RawItems(images=images, groups=groups)
        texts = [f"text {i}" for i in range(PARTS + PARTS // 2)]
        ends = np.cumsum(list(UNITS.values()))
        splits = {
            name: self._split(np.arange(end - UNITS[name], end))
            for name, end in zip(UNITS, ends, strict=True)
        }
        items = {self.modalities[0]: first, "text": RawItems(texts=texts)}
        return TaskData(items=items, fingerprint=type(self).__name__, **splits)

    def _split(self, units: Integers) -> Split:
        first = np.repeat(units, 2)
        second = np.stack([units, PARTS + units // 2], 1).ravel()
        label = np.arange(len(first)) % len(self.classes) if self.classes else None
        return Split(first, second, label)


def _ring() -> Integers:
    """Return (2, e) edges that tie every node to the next two, both ways."""
    nodes = np.arange(PARTS)
    ahead = [np.stack([nodes, (nodes + step) % PARTS]) for step in (1, 2)]
    return np.concatenate([*ahead, *(edges[::-1] for edges in ahead)], 1)


class PairsTask(TinyTask):
    """Asks for a class of an image and a text, as in SNLI-VE."""

    classes = ("yes", "maybe", "no")


class TwoImagesTask(TinyTask):
    """Asks whether a text is true of two images, as in NLVR2."""

    classes = ("false", "true")
    group = 2


class RelationsTask(TinyTask):
    """Asks whether a text relates two nodes of a graph, as in PGR."""

    modalities = ("graph", "text")
    default_backbone = "gtnn:tiny"
    classes = ("false", "true")
    group = 2


def random_words(count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return word pieces of texts as a tokeniser would give them.

    Args:
        count: number of texts.
        length: number of word pieces of each, padding included.

    Returns:
        ids (count, length) int32 and mask (count, length) bool.
    """
    rng = generator(0, "contract words", str(count), str(length))
    ids = rng.integers(0, WORDS, (count, length), dtype=np.int32)
    mask = np.arange(length) < rng.integers(3, length + 1, (count, 1))
    return torch.from_numpy(ids), torch.from_numpy(mask)


class WordlessAlbef(AlbefBackbone):
    """Builds ALBEF whose texts are random words, so that no tokeniser is needed."""

    def prepare(self, modality: str, items: RawItems, track: Track) -> Inputs | Blockwise:
        """Return pixels, or random words."""
        if modality == "image":
            return super().prepare(modality, items, track)
        ids, mask = random_words(len(items), self.config.text_length)
        return {"ids": ids, "mask": mask}

    def build(self, shape: TaskShape = TaskShape()) -> Albef | AlbefClassifier:  # noqa: B008 (frozen)
        """Return the model with a small vocabulary."""
        model = super().build(shape)
        model.text.words = nn.Embedding(WORDS, self.config.width)
        return model


class WordlessGtnn(GtnnBackbone):
    """Builds GTNN whose texts and names are random words, so that no tokeniser is needed."""

    def prepare(self, modality: str, items: RawItems, track: Track) -> Inputs:
        """Return edges and random names, or random words."""
        if modality == "text":
            ids, mask = random_words(len(items), self.config.text_length)
            return {"ids": ids, "mask": mask}
        assert items.edges is not None
        ids, mask = random_words(PARTS, self.config.name_length)
        edges = ordered_edges(torch.from_numpy(items.edges), PARTS, self.config.conv)
        return {"node": torch.arange(PARTS), "edges": edges, "name_ids": ids, "name_mask": mask}

    def build(self, shape: TaskShape = TaskShape()) -> Gtnn:  # noqa: B008 (frozen)
        """Return the model with small vocabularies."""
        model = super().build(shape)
        model.text.words = nn.Embedding(WORDS, self.config.width)
        model.graph.words = nn.Embedding(WORDS, self.config.width)
        return model


@dataclass(frozen=True)
class TinyTaskKind:
    """Describes a kind of task by its smallest example.

    Attributes:
        name: name of the kind in reports.
        task: function that makes the task.
        backbone: function that makes a backbone that serves it.
    """

    name: str
    task: Callable[[], Task]
    backbone: Callable[[], Backbone]


def _albef() -> Backbone:
    return WordlessAlbef("tiny")


def _gtnn() -> Backbone:
    return WordlessGtnn("tiny")


TINY_TASKS = (
    TinyTaskKind("retrieval", TinyTask, _albef),
    TinyTaskKind("classification", PairsTask, _albef),
    TinyTaskKind("two images", TwoImagesTask, _albef),
    TinyTaskKind("relations", RelationsTask, _gtnn),
)
"""Every kind of task."""
