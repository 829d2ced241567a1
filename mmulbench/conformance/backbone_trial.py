"""A backbone being tried on a few made-up items, for one kind of task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmulbench.cache.block_layout import Blockwise
from mmulbench.conformance.checks import demand
from mmulbench.core.backbone import Backbone, RawItems, TaskShape
from mmulbench.core.data import Batch, Features, Inputs, Integers, Targets
from mmulbench.core.model import EncoderOutput, ModelOutput, MultimodalModel
from mmulbench.errors import UsageError
from mmulbench.progress import Progress
from mmulbench.runs.backbones import open_backbone
from mmulbench.seeds import generator, torch_seeded

TASKS_TO_TRY: Mapping[str, TaskShape] = {
    "retrieval": TaskShape(),
    "retrieval of groups": TaskShape(0, 2),
    "classification": TaskShape(3),
    "group classification": TaskShape(3, 2),
}
"""Shapes of task that a backbone is tried on, as far as it says that it serves their kind."""

TEXTS = ("two small cats sleep on a chair", "a red heart", "rain", "the old tree by water")
"""Texts of different lengths, one for each pair, the longest first."""

NAMES = ("red heart", "cat", "old tree", "water", "a small chair", "rain", "two birds", "stone")
"""Names of a graph's nodes, two for each pair; the longest has three words."""

COUNT = len(TEXTS)
"""Number of pairs in a batch."""

PIXELS = 32
"""Pixels on each side of the images."""

WORD = "zebra"
"""Word that takes the place of others; none of the texts and names has it."""

QUARTERS = {
    f"the {vertical} {horizontal} quarter": (rows, columns)
    for vertical, rows in (("upper", slice(PIXELS // 2)), ("lower", slice(PIXELS // 2, None)))
    for horizontal, columns in (("left", slice(PIXELS // 2)), ("right", slice(PIXELS // 2, None)))
}
"""Quarters of an image, as indices of its rows and columns."""


@dataclass(frozen=True)
class PairOutputs:
    """Holds what a model in evaluation mode says of n pairs.

    Attributes:
        sides: the encoders' outputs of both items of each pair.
        fused: (n, d) fused representations.
        association: by path, (n,) how strongly the pairs belong together.
    """

    sides: tuple[EncoderOutput, EncoderOutput]
    fused: Tensor
    association: Mapping[str, Tensor]

    def named(self) -> dict[str, Tensor]:
        """Return everything whose rows are pairs and whose size does not depend on padding, by name."""
        first, second = self.sides
        unimodal = {"the first unimodal output": first.pooled, "the second unimodal output": second.pooled}
        paths = {f"the {path} association": value for path, value in self.association.items()}
        return {**unimodal, "the fused representation": self.fused, **paths}


class BackboneTrial:
    """Tries a backbone on one kind of task.

    Args:
        backbone: the backbone to try.
        label: what reports call the kind of task.
        shape: what the task asks of a model.
    """

    def __init__(self, backbone: Backbone, label: str, shape: TaskShape) -> None:
        self.backbone = backbone
        self.shape = shape
        self._label = label

    @property
    def label(self) -> str:
        """The kind of task."""
        return self._label

    @cached_property
    def items(self) -> dict[str, RawItems]:
        """The made-up items by modality: texts, a ring of named nodes, or coarse images of random colours."""
        first, second = self.backbone.modalities
        return {first: self._items(first, self.shape.group), second: self._items(second, 1)}

    def _items(self, modality: str, group: int) -> RawItems:
        parts = COUNT * group
        groups = np.arange(parts).reshape(COUNT, group) if group > 1 else None
        if modality == "text":
            return RawItems(texts=TEXTS, groups=groups)
        if modality == "graph":
            nodes = np.arange(parts)
            ahead = np.stack([nodes, (nodes + 1) % parts])
            return RawItems(texts=NAMES[:parts], groups=groups, edges=np.concatenate([ahead, ahead[::-1]], 1))
        colours = generator(0, "images to try").integers(0, 256, (parts, 4, 4, 3), dtype=np.uint8)
        images = colours.repeat(PIXELS // 4, 1).repeat(PIXELS // 4, 2)
        return RawItems(images=images, groups=groups)

    def prepare(self, modality: str, items: RawItems) -> Inputs:
        """Return all inputs of a modality's items in memory.

        Args:
            modality: name of the modality.
            items: the items to prepare.
        """
        found = self.backbone.prepare(modality, items, Progress().track)
        return {found.name: found.compute(range(found.count))} if isinstance(found, Blockwise) else found

    @cached_property
    def inputs(self) -> dict[str, Inputs]:
        """All inputs of the made-up items, by modality."""
        return {modality: self.prepare(modality, given) for modality, given in self.items.items()}

    def features(self, items: Mapping[str, RawItems]) -> Features:
        """Return the prepared inputs of items, by modality."""
        whole = self.backbone.whole
        inputs = {
            modality: self.inputs[modality]
            if given is self.items[modality]
            else self.prepare(modality, given)
            for modality, given in items.items()
        }
        groups = {name: given.groups for name, given in items.items() if given.groups is not None}
        return Features(
            {of: {name: t for name, t in found.items() if name not in whole} for of, found in inputs.items()},
            torch.device("cpu"),
            {name: torch.from_numpy(group) for name, group in groups.items()},
            {of: {name: t for name, t in found.items() if name in whole} for of, found in inputs.items()},
        )

    @cached_property
    def known(self) -> Features:
        """The prepared inputs of the made-up items."""
        return self.features(self.items)

    def batch(
        self,
        first: Integers | None = None,
        second: Integers | None = None,
        *,
        features: Features | None = None,
        related: Tensor | None = None,
    ) -> Batch:
        """Return a batch of pairs.

        Args:
            first: (n,) items of the first modality; all in their order unless given.
            second: (n,) items of the second modality; those of the first modality's numbers unless given.
            features: prepared inputs, where they are not those of the made-up items.
            related: (n, n) bool, which items belong together; each with its own alone unless given.
        """
        first = np.arange(COUNT) if first is None else first
        second = first if second is None else second
        labels = torch.from_numpy(first) % self.shape.classes if self.shape.classes else None
        return Batch(
            rows=torch.arange(len(first)),
            first=torch.from_numpy(first),
            second=torch.from_numpy(second),
            targets=Targets(torch.eye(len(first), dtype=torch.bool) if related is None else related, labels),
            features=features or self.known,
            modalities=self.backbone.modalities,
        )

    def build(self, seed: int) -> MultimodalModel:
        """Return a model whose weights are drawn by a seed.

        Raises:
            ContractViolation: build returns no model.
        """
        with torch_seeded(seed, "backbone to try"):
            model = self.backbone.build(self.shape)
        demand(
            isinstance(model, MultimodalModel),
            f"build returned a {type(model).__name__}: extend MultimodalModel",
        )
        return model

    @cached_property
    def model(self) -> MultimodalModel:
        """A model in evaluation mode, whose weights are far enough from zero to let every path show."""
        model = self.build(0)
        with torch_seeded(1, "larger weights"), torch.no_grad():
            for parameter in model.parameters():
                scale = max(parameter[:1].numel(), 1) ** -0.5 if parameter.ndim > 1 else 0.2
                parameter.add_(torch.randn_like(parameter) * scale)
        return model.eval()

    def trained_output(self, batch: Batch) -> ModelOutput:
        """Return the training pass over a batch, in evaluation mode so that dropout hides nothing."""
        with torch_seeded(2, "training pass"):
            output: ModelOutput = self.model(batch)
        return output

    @torch.no_grad()
    def judge(self, batch: Batch, model: MultimodalModel | None = None) -> PairOutputs:
        """Return what a model says of a batch.

        Args:
            batch: the pairs.
            model: the model to ask, where it is not the trial's own.
        """
        model = model or self.model
        first, second = model.encode_batch(batch)
        association = model.association(first, second, batch.targets.labels)
        return PairOutputs((first, second), model.fuse(first, second), association)

    def demand_packages(self) -> None:
        """Prepare the items and build the model; leave what else is wrong with them to the checks.

        Raises:
            UsageError: where a package is missing.
        """
        try:
            self.known, self.model  # noqa: B018 (kept once they are there)
        except UsageError:
            raise
        except Exception:
            return


@dataclass(frozen=True)
class ChangedItems:
    """Holds an item, and then the same item with one thing changed after another.

    Attributes:
        items: the items; a graph's nodes have no edges, so that none of them reaches another.
        places: what is changed in each item but the first.
    """

    items: RawItems
    places: tuple[str, ...]


def changed_items(items: RawItems) -> ChangedItems:
    """Return the first of some items with each word, or each quarter of each image, changed in turn."""
    group = 1 if items.groups is None else items.groups.shape[1]
    texts, images = (
        list(items.texts or ())[:group],
        list(() if items.images is None else items.images[:group]),
    )
    rows, places = [list(range(group))], []
    for part in range(group):
        for place, index in _changed_words(texts, part) if texts else _changed_quarters(images, part):
            places.append(f"{place} of {part + 1}" if group > 1 else place)
            rows.append([index if other == part else other for other in range(group)])
    changed = RawItems(
        images=np.stack(images) if images else None,
        texts=tuple(texts) or None,
        groups=np.array(rows) if group > 1 else None,
        edges=None if items.edges is None else items.edges[:, :0],
    )
    return ChangedItems(changed, tuple(places))


def _changed_words(texts: list[str], which: int) -> Iterator[tuple[str, int]]:
    """Append a text with each word changed in turn; yield what was changed, and the new text's index."""
    words = texts[which].split()
    for place in range(len(words)):
        texts.append(" ".join([*words[:place], WORD, *words[place + 1 :]]))
        yield f"word {place + 1} of {len(words)}", len(texts) - 1


def _changed_quarters(images: list[NDArray[np.uint8]], which: int) -> Iterator[tuple[str, int]]:
    """Append an image with each quarter inverted in turn; yield what was changed, and the new index."""
    for place, corner in QUARTERS.items():
        images.append(images[which].copy())
        images[-1][corner] ^= 255
        yield place, len(images) - 1


def backbone_trials(name: str) -> list[BackboneTrial]:
    """Return a trial of a backbone for each kind of task that it serves.

    Raises:
        UsageError: when family or variant is unknown.
        MmulbenchError: when a checkpoint is damaged.
    """
    return trials_of(open_backbone(name))


def trials_of(backbone: Backbone) -> list[BackboneTrial]:
    """Return a trial of a backbone for each kind of task that it serves, or for all where it serves none."""
    served = [label for label, shape in TASKS_TO_TRY.items() if shape.kind in backbone.serves]
    return [BackboneTrial(backbone, label, TASKS_TO_TRY[label]) for label in served or TASKS_TO_TRY]
