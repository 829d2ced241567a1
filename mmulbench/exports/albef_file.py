"""Models in the layout of ALBEF's authors, written and taken with all their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmulbench.backbones._albef_config import BASE, AlbefConfig
from mmulbench.backbones._pretrained.albef_checkpoint import AlbefCheckpoint
from mmulbench.backbones._pretrained.albef_layout import (
    ENTAILMENT_HEAD,
    HEAD_WIDTH,
    HEADS,
    is_entailment,
    trunk_names,
)
from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.core.backbone import TaskShape
from mmulbench.core.model import MultimodalModel
from mmulbench.exports.layout import Packed, fill
from mmulbench.exports.loading_code import albef_code
from mmulbench.exports.weight_files import REST, digest_of, rest_of
from mmulbench.seeds import torch_seeded

FILE, PICKLE = "albef.safetensors", "albef.pth"

_TEXT = "text_encoder."
_POSITIONS = 512
"""Number of text positions in the published files."""

_CALLED = {
    "image_embedding": "vision_proj",
    "text_embedding": "text_proj",
    "matching": "itm_head",
    "log_temperature": "temp",
    "classes": "a head for these classes (cls_head)",
    "slots": "places for several images (slots)",
}


_SIZES = ("image_size", "width", "heads", "fusion_layers", "image_layers", "text_layers", "patch")
"""Settings that the shapes of the tensors tell, beside the width of the embedding."""


def has_published_form(config: AlbefConfig) -> bool:
    """Tell whether the authors' layout can say all of a model's size: the rest must be as published."""
    told: dict[str, Any] = {name: getattr(config, name) for name in (*_SIZES, "embedding")}
    return config == replace(BASE, **told) and config.width == HEAD_WIDTH * config.heads


def pack(model: MultimodalModel, backbone: AlbefBackbone) -> Packed:
    """Return a model in the layout of ALBEF's authors.

    Args:
        model: the model.
        backbone: what it was built by; its form is a published one.
    """
    state = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    modules = trunk_names(backbone.config, _TEXT) | {
        ours: (theirs,) for ours, theirs in _heads(state).items() if f"{ours}weight" in state
    }
    tensors = _embeddings(state)
    done = {"image.cls", "image.positions", "text.words.weight", "text.positions"}
    for ours, published in modules.items():
        for kind in ("weight", "bias"):
            value = state[ours + kind].flip(0) if ours == "classes.2." else state[ours + kind]
            parts = value.chunk(len(published))
            tensors |= {f"{name}.{kind}": part for name, part in zip(published, parts, strict=True)}
            done.add(ours + kind)
    if "log_temperature" in state:
        tensors["temp"] = state["log_temperature"].exp()
    return Packed(
        layout="albef",
        main=FILE,
        tensors=tensors,
        rest={name: value for name, value in state.items() if name not in done},
        files={},
        title="ALBEF",
        loading=[albef_code(PICKLE)],
        notes=_notes(state, backbone.config),
        pickle=(PICKLE, {**tensors, **_momentum(tensors)}),
    )


def _heads(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the published names of heads by ours."""
    entailment = is_entailment({name: value.shape for name, value in state.items()})
    return {**HEADS, **(ENTAILMENT_HEAD if entailment else {})}


def _embeddings(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what is added to patches and word pieces. Our text positions hold the token type in use."""
    positions = state["text.positions"][0]
    length, width = positions.shape
    unused = positions.new_zeros(max(_POSITIONS - length, 0), width)
    return {
        "visual_encoder.cls_token": state["image.cls"],
        "visual_encoder.pos_embed": state["image.positions"],
        f"{_TEXT}embeddings.word_embeddings.weight": state["text.words.weight"],
        f"{_TEXT}embeddings.position_embeddings.weight": torch.cat([positions, unused]),
        f"{_TEXT}embeddings.token_type_embeddings.weight": positions.new_zeros(2, width),
    }


def _momentum(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the momentum copies that the authors' programs ask for: the same tensors, stored once."""
    copied = ("visual_encoder", "text_encoder", "vision_proj", "text_proj")
    parts = {name: name.partition(".") for name in tensors}
    return {f"{a}_m.{b}": tensors[name] for name, (a, _, b) in parts.items() if a in copied}


def _notes(state: Mapping[str, Tensor], config: AlbefConfig) -> list[str]:
    """Return what the card says of the files."""
    notes = [
        f"`{FILE}` and `{PICKLE}` hold the same weights by the names of ALBEF's authors; the latter is for "
        f"their programs. Images have {config.image_size} pixels a side, texts at most {config.text_length} "
        "word pieces of BERT uncased; further positions are zero.",
        f"`{REST}` holds what their layout has no place for, and the logarithm of the temperature.",
    ]
    if "cls_head" in str(_heads(state)):
        notes.append("`cls_head` has the classes in reverse, as the authors' three of visual entailment are.")
    return notes


@dataclass(frozen=True)
class FoundModel:
    """A model in a file in the authors' layout.

    Attributes:
        folder: folder of an export; None where a file of others' stands alone.
        backbone: the backbone that prepares its inputs and builds its form.
    """

    folder: Path | None
    backbone: AlbefBackbone

    @property
    def _checkpoint(self) -> AlbefCheckpoint:
        assert self.backbone.checkpoint is not None
        return self.backbone.checkpoint

    def _rest(self) -> dict[str, Tensor]:
        return {} if self.folder is None else rest_of(self.folder)

    @cached_property
    def digest(self) -> str:
        """Digest of all weights.

        Raises:
            MmulbenchError: A file is damaged.
        """
        return digest_of({**self._checkpoint.read().tensors, **self._rest()})

    @property
    def trained_on(self) -> frozenset[str]:
        """Names of the data that the weights say they were trained on."""
        return self._checkpoint.trained_on

    def load(self, shape: TaskShape) -> MultimodalModel:
        """Return the model with all its weights.

        Raises:
            UsageError: It has no head for that.
            MmulbenchError: A file is damaged.
        """
        with torch_seeded(0, "to be overwritten"):
            model = self.backbone.build(shape)
        loaded = self._checkpoint.read().load_into(model)
        found = {name: value for name, value in model.state_dict().items() if name in loaded}
        place = self.folder or self._checkpoint.path
        fill(model, {**found, **self._rest()}, place, shape, names=_CALLED)
        return model


def find(source: str, folder: Path | None = None) -> FoundModel:
    """Return the model in a file.

    Args:
        source: path of the file.
        folder: the export that it belongs to.

    Raises:
        UsageError: It is not there, or is ALBEF's form for two images.
        MmulbenchError: It is damaged.
    """
    return FoundModel(folder, AlbefBackbone.from_checkpoint(source))
