"""CLIP and SigLIP checkpoints as published, but tiny: written by transformers and tokenizers themselves."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import torch
from torch import nn

CLIP_PIECES = tuple(string.ascii_lowercase) + tuple(f"{letter}</w>" for letter in string.ascii_lowercase)
CLIP_PIECES += ("ca", "cat</w>", "<|startoftext|>", "<|endoftext|>")
CLIP_MERGES = (("c", "a"), ("ca", "t</w>"))
START, END = len(CLIP_PIECES) - 2, len(CLIP_PIECES) - 1

SIGLIP_PIECES = ("<pad>", "</s>", "<unk>", "▁", "▁cat", "▁red", *string.ascii_lowercase)
"""The end token, 1, is that of padding too."""

LENGTH = {"clip": 24, "siglip": 16}
IMAGE, TEXT, EMBEDDING = 48, 32, 16
"""Widths; in SigLIP, texts end at the width of images."""

MEAN, STD = [0.5, 0.4, 0.3], [0.25, 0.3, 0.35]

VISION = {"image_size": 32, "patch_size": 16, "hidden_size": IMAGE, "intermediate_size": 64}
VISION |= {"num_hidden_layers": 2, "num_attention_heads": 2}


def make(family: str, seed: int = 0, **text: Any) -> Any:
    """A model whose weights are all random; ``eos_token_id`` is 2 as in OpenAI's own configuration."""
    from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

    given: dict[str, Any] = {
        "hidden_size": TEXT,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    given["max_position_embeddings"] = LENGTH[family]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if family == "clip":
            given |= {"vocab_size": len(CLIP_PIECES), "bos_token_id": 0, "eos_token_id": 2, **text}
            config = CLIPConfig(text_config=given, vision_config=VISION, projection_dim=EMBEDDING)
            model = CLIPModel(config)
        else:
            given |= {"vocab_size": len(SIGLIP_PIECES), "projection_size": IMAGE}
            given |= {"bos_token_id": None, "eos_token_id": 1, **text}
            model = SiglipModel(SiglipConfig(text_config=given, vision_config=VISION))
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.3)  # biases and norms too, so that each of them shows
        nn.init.constant_(model.logit_scale, 4.6)  # almost that of the published models
    return model.eval()


def write(folder: Path, model: Any, **save: Any) -> Path:
    """Configuration, weights, tokeniser and image settings side by side."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    model.save_pretrained(folder, **save)
    square = {"height": 32, "width": 32}
    CLIPImageProcessorPil(
        size=square, crop_size=square, image_mean=MEAN, image_std=STD, do_center_crop=False
    ).save_pretrained(folder)
    (write_bpe if model.config.model_type == "clip" else write_unigram)(folder)
    return folder


def write_pickled(folder: Path, model: Any, tensors: Any) -> Path:
    """The older layout: what ``torch.save`` makes of the weights."""
    write(folder, model)
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    return folder


def write_bpe(folder: Path) -> None:
    """CLIP's tokeniser."""
    from transformers import CLIPTokenizer

    vocabulary = {piece: number for number, piece in enumerate(CLIP_PIECES)}
    CLIPTokenizer(vocab=vocabulary, merges=list(CLIP_MERGES)).save_pretrained(folder)


def write_bpe_in_parts(folder: Path) -> None:
    """CLIP's tokeniser as its first files had it."""
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(CLIP_PIECES)}))
    merges = "".join(f"{left} {right}\n" for left, right in CLIP_MERGES)
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges)


def write_unigram(folder: Path) -> None:
    """SigLIP's tokeniser: lower case without punctuation, an end token, and no mask of padding."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    # Whole words first, then letters.
    pieces = [(piece, -1.0 if len(piece) > 2 else -5.0) for piece in SIGLIP_PIECES]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    punctuation = normalizers.Replace(Regex(r"[!-/:-@\[-`{-~]"), "")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), punctuation, normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings: dict[str, Any] = {"tokenizer_class": "SiglipTokenizer", "processor_class": "SiglipProcessor"}
    settings |= {"eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>", "do_lower_case": True}
    settings |= {"model_input_names": ["input_ids"], "model_max_length": 64, "sp_model_kwargs": {}}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
