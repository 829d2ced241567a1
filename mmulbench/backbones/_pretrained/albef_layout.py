"""The names of tensors in ALBEF's published files, and how they fill the modules here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmulbench.backbones._albef_config import BASE, AlbefConfig
from mmulbench.errors import MmulbenchError, UsageError

HEAD_WIDTH = 64
"""Width of an attention head in ViT-B and BERT-base; no tensor's shape tells it."""

PRETRAINED_SIZE = 256
"""Pixels a side in pretraining; all of the authors' fine-tuning is at ``BASE.image_size``."""

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""What weights may be stored as: torch can neither compare nor convert all of its smaller floats."""

_POSITIONS = "visual_encoder.pos_embed"
_QUERY_KEY_VALUE = ("query", "key", "value")

# Parts of a layer: ours, up to "weight" or "bias", and the published ones that are stacked to make it.
_Parts = Mapping[str, tuple[str, ...]]

_VIT_LAYER: _Parts = {
    "self_attn.in_proj_": ("attn.qkv",),
    "self_attn.out_proj.": ("attn.proj",),
    "linear1.": ("mlp.fc1",),
    "linear2.": ("mlp.fc2",),
    "norm1.": ("norm1",),
    "norm2.": ("norm2",),
}
_TEXT_LAYER: _Parts = {
    "self_attn.in_proj_": tuple(f"attention.self.{name}" for name in _QUERY_KEY_VALUE),
    "self_attn.out_proj.": ("attention.output.dense",),
    "linear1.": ("intermediate.dense",),
    "linear2.": ("output.dense",),
    "norm1.": ("attention.output.LayerNorm",),
    "norm2.": ("output.LayerNorm",),
}
_FUSION_LAYER: _Parts = {
    **_TEXT_LAYER,
    "multihead_attn.in_proj_": tuple(f"crossattention.self.{name}" for name in _QUERY_KEY_VALUE),
    "multihead_attn.out_proj.": ("crossattention.output.dense",),
    "norm2.": ("crossattention.output.LayerNorm",),
    "norm3.": ("output.LayerNorm",),
}

HEADS = {"image_embedding.": "vision_proj", "text_embedding.": "text_proj", "matching.": "itm_head"}
"""Our heads for retrieval, and the published ones."""

ENTAILMENT_HEAD = {"classes.0.": "cls_head.0", "classes.2.": "cls_head.2"}
"""The same for visual entailment; the published classes stand in the reverse order of our tasks'."""


def is_entailment(shapes: Mapping[str, torch.Size]) -> bool:
    """Tell whether a model's head has the form of that for visual entailment, by its parameters' shapes."""
    return shapes.get("classes.2.bias") == (3,) and "slots" not in shapes


def trunk_names(config: AlbefConfig, text: str) -> dict[str, tuple[str, ...]]:
    """Return our modules and the published ones that are stacked to make each, but embeddings and heads.

    Args:
        config: size of the model.
        text: how the names of the text encoder begin.
    """
    found: dict[str, tuple[str, ...]] = {
        "image.patches.": ("visual_encoder.patch_embed.proj",),
        "image.norm.": ("visual_encoder.norm",),
        "text.norm.": (f"{text}embeddings.LayerNorm",),
    }
    layers = f"{text}encoder.layer."
    for ours, published, first, count, layer in (
        ("image.layers.", "visual_encoder.blocks.", 0, config.image_layers, _VIT_LAYER),
        ("text.layers.", layers, 0, config.text_layers, _TEXT_LAYER),
        ("fusion.", layers, config.text_layers, config.fusion_layers, _FUSION_LAYER),
    ):
        for i in range(count):
            for name, parts in layer.items():
                found[f"{ours}{i}.{name}"] = tuple(f"{published}{first + i}.{part}" for part in parts)
    return found


class PublishedWeights:
    """Tensors under the names that ALBEF's authors gave them.

    Momentum copies (``…_m``), queues and the head for masked words are never looked at. A pretraining file
    has ``bert.`` in the names of the text encoder, the others have not.

    Args:
        path: of the file, for messages.
        tensors: by name; values of other kinds are refused when they are needed.
    """

    def __init__(self, path: Path, tensors: Mapping[str, Any]) -> None:
        self._path = path
        self._tensors = tensors
        self._pretraining = self._has("text_encoder.bert.")
        self._text = "text_encoder.bert." if self._pretraining else "text_encoder."

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, those that are never looked at too."""
        return {name: value for name, value in self._tensors.items() if isinstance(value, Tensor)}

    @cached_property
    def config(self) -> AlbefConfig:
        """Size of the model, from the tensors' shapes; everything else is as published.

        A pretraining file of 256 pixels is read at 384, the size of all the authors' fine-tuning.

        Raises:
            UsageError: it is the form for two images.
            MmulbenchError: a tensor is missing or has an odd shape.
        """
        patch = self._tensor("visual_encoder.patch_embed.proj.weight", 4).shape[-1]
        size = self._grid * patch
        width = self._tensor(_POSITIONS, 3).shape[-1]
        if width % HEAD_WIDTH:
            raise MmulbenchError(
                f"{self._path}: {_POSITIONS} has the width {width}, no multiple of {HEAD_WIDTH}, "
                "the width of an attention head"
            )
        text_layers, fusion_layers = self._text_layers()
        embedding = BASE.embedding
        if self._has("vision_proj."):
            embedding = self._tensor("vision_proj.weight", 2).shape[0]
        return replace(
            BASE,
            image_size=BASE.image_size if self._pretraining and size == PRETRAINED_SIZE else size,
            width=width,
            heads=width // HEAD_WIDTH,
            fusion_layers=fusion_layers,
            image_layers=self._layers("visual_encoder.blocks."),
            text_layers=text_layers,
            patch=patch,
            embedding=embedding,
        )

    @torch.no_grad()
    def load_into(self, model: nn.Module) -> frozenset[str]:
        """Overwrite a model's parameters; heads that the file lacks stay as they are.

        Args:
            model: ALBEF for retrieval or classification, of this size.

        Returns:
            Names of the parameters that were in the file.

        Raises:
            MmulbenchError: a tensor is missing or has an odd shape; the message names it.
        """
        parameters = dict(model.named_parameters())
        loaded = set()
        for name, value in self._translated({name: found.shape for name, found in parameters.items()}):
            parameters[name].copy_(value)
            loaded.add(name)
        return frozenset(loaded)

    def _translated(self, shapes: Mapping[str, torch.Size]) -> Iterator[tuple[str, Tensor]]:
        """Yield our parameters' names and values one by one: together they are as large as the model.

        Raises:
            MmulbenchError: a tensor is missing or has an odd shape, or the temperature is not positive.
        """
        for ours, published in {**trunk_names(self.config, self._text), **self._heads(shapes)}.items():
            for kind in ("weight", "bias"):
                rows, *rest = shapes[ours + kind]
                wanted = (rows // len(published), *rest)
                value = torch.cat([self._take(f"{name}.{kind}", wanted) for name in published])
                # Published: contradiction, neutral, entailment; our tasks name them the other way round.
                yield ours + kind, value.flip(0) if ours == "classes.2." else value
        words = f"{self._text}embeddings.word_embeddings.weight"
        yield "image.cls", self._take("visual_encoder.cls_token", (1, 1, self.config.width))
        yield "image.positions", self._image_positions()
        yield "text.words.weight", self._take(words, shapes["text.words.weight"])
        yield "text.positions", self._text_positions()
        if "log_temperature" in shapes and "temp" in self._tensors:
            temperature = self._take("temp", ())
            if not 0 < temperature < math.inf:
                raise MmulbenchError(
                    f"{self._path}: temp must be a positive number, not {temperature.item()}"
                )
            yield "log_temperature", temperature.log()

    def _heads(self, shapes: Mapping[str, torch.Size]) -> dict[str, tuple[str, ...]]:
        """Return our heads and the published ones, where both are there.

        The head for classes is taken where it is that of visual entailment: three classes of one image with
        a text.
        """
        heads = dict(HEADS)
        if (
            is_entailment(shapes)
            and self._has("cls_head.2.")
            and len(self._tensor("cls_head.2.bias", 1)) == 3
        ):
            heads |= ENTAILMENT_HEAD
        return {
            ours: (published,)
            for ours, published in heads.items()
            if f"{ours}weight" in shapes and self._has(f"{published}.")
        }

    def _text_layers(self) -> tuple[int, int]:
        """Return how many layers read a text alone, and how many see the image too.

        Raises:
            UsageError: it is the form for two images.
        """
        prefix = f"{self._text}encoder.layer."
        count = self._layers(prefix)
        crossing = [i for i in range(count) if self._has(f"{prefix}{i}.crossattention.")]
        if not crossing:
            raise self._lacks(f"{prefix}{count - 1}.crossattention.self.query.weight")
        keys = [f"{prefix}{i}.crossattention.self.key.weight" for i in range(crossing[0], count)]
        values = [self._tensor(key, 2) for key in keys]
        if len(values) % 2 == 0 and all(map(torch.equal, values[::2], values[1::2])):
            raise UsageError(
                f"{self._path} is ALBEF's form for two images (NLVR2), whose fusion layers take turns to see "
                "one of them; here each sees both, which its weights do not fit: start from ALBEF.pth"
            )
        return crossing[0], len(values)

    @property
    def _grid(self) -> int:
        """Patches on a side of the image.

        Raises:
            MmulbenchError: the positions are not those of a square and a class token.
        """
        shape = self._tensor(_POSITIONS, 3).shape
        grid = math.isqrt(shape[1] - 1)
        if shape[0] != 1 or grid == 0 or shape[1] != 1 + grid * grid:
            raise MmulbenchError(
                f"{self._path}: {_POSITIONS} has the shape {(*shape,)}, not (1, 1 + a square, width)"
            )
        return grid

    def _image_positions(self) -> Tensor:
        """Return (1, 1 + patches, width): the class token's, and the grid's resized (bicubic)."""
        grid, wanted = self._grid, self.config.image_size // self.config.patch
        positions = self._take(_POSITIONS, (1, 1 + grid * grid, self.config.width))
        if wanted == grid:
            return positions
        cells = positions[:, 1:].transpose(1, 2).reshape(1, -1, grid, grid)
        cells = nn.functional.interpolate(cells, (wanted, wanted), mode="bicubic", align_corners=False)
        return torch.cat([positions[:, :1], cells.flatten(2).transpose(1, 2)], 1)

    def _text_positions(self) -> Tensor:
        """Return (1, length, width): a position for each token, plus the token type in use."""
        length, width, embeddings = self.config.text_length, self.config.width, f"{self._text}embeddings."
        name = f"{embeddings}position_embeddings.weight"
        positions = self._take(name, (max(len(self._tensor(name, 2)), length), width))
        kinds = self._take(f"{embeddings}token_type_embeddings.weight", (2, width))
        return (positions[:length] + kinds[0])[None]

    def _layers(self, prefix: str) -> int:
        """Return how many different layers there are, and 1 where there are none, so that tensors are missed.

        So are those of a number that is left out.
        """
        names = (key[len(prefix) :] for key in self._tensors if key.startswith(prefix))
        return max(len({name.partition(".")[0] for name in names}), 1)

    def _has(self, prefix: str) -> bool:
        return any(key.startswith(prefix) for key in self._tensors)

    def _take(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Return a tensor in float32, of this very shape.

        Raises:
            MmulbenchError: there is none, or it has another shape.
        """
        found = self._tensor(name, len(shape))
        if found.shape != shape:
            raise MmulbenchError(f"{self._path}: {name} has the shape {(*found.shape,)}, not {(*shape,)}")
        return found.float()

    def _tensor(self, name: str, dimensions: int) -> Tensor:
        """Return a tensor of real numbers that the file holds, with so many dimensions, none of them empty.

        Raises:
            MmulbenchError: there is no such tensor.
        """
        if name not in self._tensors:
            raise self._lacks(name)
        found = self._tensors[name]
        if not (isinstance(found, Tensor) and found.layout == torch.strided and found.dtype in _DTYPES):
            raise MmulbenchError(f"{self._path}: {name} is no tensor of real numbers of 16 bits or more")
        if found.ndim != dimensions or found.numel() == 0:
            raise MmulbenchError(
                f"{self._path}: {name} has the shape {(*found.shape,)}, not one of {dimensions} dimensions"
            )
        # A tensor can claim to be larger than what it repeats, or to be nowhere.
        if found.device.type != "cpu" or found.untyped_storage().nbytes() < found.nbytes:
            raise MmulbenchError(f"{self._path}: the numbers of {name} are not in the file")
        return found

    def _lacks(self, name: str) -> MmulbenchError:
        return MmulbenchError(
            f"{self._path} lacks {name}: it is damaged, or no checkpoint of ALBEF in its authors' layout"
        )
