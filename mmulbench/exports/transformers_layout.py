"""Models in the transformers layout, CLIP, SigLIP, BLIP and ViLT: written, and taken with all weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.backbones._pretrained.foreign_files import read_tensors
from mmulbench.backbones._pretrained.transformers_checkpoint import Checkpoint
from mmulbench.core.backbone import TaskShape
from mmulbench.core.model import MultimodalModel
from mmulbench.exports.layout import Packed, fill
from mmulbench.exports.loading_code import transformers_code
from mmulbench.exports.transformers_forms import Form, config_of, form_of
from mmulbench.exports.transformers_inputs import input_files
from mmulbench.exports.weight_files import MAIN, REST, digest_of, refuse_outside, rest_of
from mmulbench.seeds import torch_seeded

PUBLISHED = frozenset({"log_temperature"})
"""Weights that no published file in this layout holds; the family's published value stands for them."""


def pack(model: MultimodalModel, backbone: TransformersBackbone, shape: TaskShape) -> Packed:
    """Return a model in the transformers layout.

    Args:
        model: the model.
        backbone: what it was built by.
        shape: what it was built for.

    Raises:
        UsageError: A package is missing, or the start's files lead out of its folder.
        OSError: A file of the start cannot be read.
    """
    if backbone.checkpoint is not None:
        refuse_outside(backbone.checkpoint.folder)
    kind = getattr(backbone.config, "family", backbone.name)
    state = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    config = config_of(model, kind, shape, state, getattr(backbone.config, "embedding", 0))
    form = form_of(kind, shape, config)
    config.architectures = [form.name]
    placed = {theirs: value for name, value in state.items() if (theirs := form.theirs(name)) is not None}
    rest = {name: value for name, value in state.items() if form.theirs(name) is None}
    files = input_files(backbone, kind)
    return Packed(
        layout="transformers",
        main=MAIN,
        tensors={**placed, **_unused(form, config)},
        rest=rest,
        files={"config.json": config.to_json_string(use_diff=False).encode(), **files},
        title=form.name,
        loading=[transformers_code(form.name, shape, backbone.config, "tokenizer.json" in files)],
        notes=_notes(form, rest),
    )


def _unused(form: Form, config: Any) -> dict[str, Tensor]:
    """Return values of what the transformers class has and the model does not."""
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in form.cls(config).named_parameters()}
    return {name: torch.full(shapes[name], value) for name, value in form.unused.items()}


def _notes(form: Form, rest: Iterable[str]) -> list[str]:
    """Return what the card says of what transformers does not know."""
    notes = []
    if names := sorted(rest):
        notes.append(
            f"`{REST}` holds what `{form.name}` has no place for: {', '.join(f'`{name}`' for name in names)}."
        )
    if form.absent:
        notes.append(
            f"This model has no {', '.join(form.absent)}: transformers makes new ones, and says so; they are "
            "not to be used."
        )
    if form.unused:
        notes.append(f"{' and '.join(f'`{name}`' for name in form.unused)} are not trained: do not use them.")
    return notes


@dataclass(frozen=True)
class FoundModel:
    """A model in a folder in the transformers layout.

    Attributes:
        folder: the folder.
        backbone: the backbone that prepares its inputs and builds its form.
    """

    folder: Path
    backbone: TransformersBackbone

    @property
    def _checkpoint(self) -> Checkpoint:
        assert self.backbone.checkpoint is not None
        return self.backbone.checkpoint

    @cached_property
    def digest(self) -> str:
        """Digest of all weights.

        Raises:
            MmulbenchError: A file is damaged.
        """
        tensors = rest_of(self.folder)
        for path in self._checkpoint.weights:
            tensors |= read_tensors(path)
        return digest_of(tensors)

    @property
    def trained_on(self) -> frozenset[str]:
        """Names of the data that the weights say they were trained on."""
        return self._checkpoint.trained_on

    def load(self, shape: TaskShape) -> MultimodalModel:
        """Return the model with all its weights.

        Raises:
            UsageError: It has no head for that.
            MmulbenchError: A file is damaged, or lacks weights.
        """
        kind = self._checkpoint.config["model_type"]
        config = self._config(kind)
        form = form_of(kind, shape, config)
        with torch_seeded(0, "to be overwritten"):
            parts = self._checkpoint.load(form.cls, new=form.absent)
            model = self.backbone.build(shape)
        theirs = parts.state_dict()
        found = rest_of(self.folder)
        for name in model.state_dict():
            there = form.theirs(name)
            if there is not None:
                found[name] = theirs[there]
        fill(model, found, self.folder, shape, optional=PUBLISHED)
        return model

    def _config(self, kind: str) -> Any:
        """Return the transformers configuration."""
        import transformers

        names = {
            "clip": "CLIPModel",
            "siglip": "SiglipModel",
            "blip": "BlipForImageTextRetrieval",
            "vilt": "ViltModel",
        }
        return self._checkpoint.model_config(getattr(transformers, names[kind]))


def find(folder: Path, source: str, cls: type[TransformersBackbone]) -> FoundModel:
    """Return the model in a folder.

    Args:
        folder: the folder.
        source: what the user gave.
        cls: class of the backbone's family.

    Raises:
        UsageError: It is of another family, or one of its files leads out of it.
        MmulbenchError: It is damaged.
    """
    refuse_outside(folder)
    return FoundModel(folder, cls.from_checkpoint(source))
