"""A BLIP checkpoint as published, but tiny: written by transformers itself."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import torch
from torch import nn

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "heart", "cat", "grinning", "face", "flag")
PIECES = (*WORDS, *(letter for letter in string.ascii_lowercase if letter != "a"))
PIECES += tuple(f"##{letter}" for letter in string.ascii_lowercase)

IMAGE, TEXT, EMBEDDING = 48, 32, 16
"""Widths; those of image and text differ, as in the large models."""

OLDER: dict[str, Any] = {
    "_name_or_path": "",
    "add_cross_attention": False,
    "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
    "max_length": 20,
    "pruned_heads": {},
    "torch_dtype": None,
    "transformers_version": "4.26.0.dev0",
    "use_bfloat16": False,
}
"""Some of what configurations held that were published with transformers 4."""

MEAN, STD = [0.5, 0.4, 0.3], [0.25, 0.3, 0.35]


def configuration(**text: Any) -> Any:
    from transformers import BlipConfig

    vision: dict[str, Any] = {
        "image_size": 32,
        "patch_size": 16,
        "hidden_size": IMAGE,
        "intermediate_size": 64,
    }
    vision |= {"num_hidden_layers": 2, "num_attention_heads": 2, "initializer_range": 0.1}
    given: dict[str, Any] = {"vocab_size": len(PIECES) + 2, "hidden_size": TEXT, "intermediate_size": 64}
    given |= {"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 40}
    given |= {"bos_token_id": len(PIECES), "sep_token_id": 3, "initializer_range": 0.1, **text}
    return BlipConfig(text_config=given, vision_config=vision, image_text_hidden_size=EMBEDDING)


def make(seed: int = 0) -> Any:
    from transformers import BlipForImageTextRetrieval

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BlipForImageTextRetrieval(configuration())
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.2)  # biases and norms too, so that each of them shows
    return model.eval()


def write(folder: Path, model: Any = None, **save: Any) -> Path:
    """Configuration, weights, tokeniser and image settings, as ``save_pretrained`` of each lays them out."""
    from transformers import BertTokenizerFast
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    (make() if model is None else model).save_pretrained(folder, **save)
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    BertTokenizerFast(vocab=vocabulary, do_lower_case=True).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    BlipImageProcessorPil(size=size, image_mean=MEAN, image_std=STD).save_pretrained(folder)
    return folder


def write_pickled(folder: Path, tensors: Any) -> Path:
    """The older layout: what ``torch.save`` makes of the weights, and a longer configuration."""
    write(folder)
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    config = json.loads((folder / "config.json").read_text())
    config |= {"torch_dtype": config.pop("dtype"), "transformers_version": None, "_commit_hash": None}
    for part in ("text_config", "vision_config"):
        config[part] = {**OLDER, **config[part]}
    (folder / "config.json").write_text(json.dumps(config))
    return folder
