"""ALBEF files in the authors' layout with random weights, and what such weights compute, independently."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

WIDTH, HEADS, EMBEDDING, VOCABULARY = 128, 2, 16, 30_522
IMAGE_LAYERS, TEXT_LAYERS, FUSION_LAYERS = 2, 2, 3
LAYER = "text_encoder.encoder.layer"
PREFIXES = {"pretraining": "text_encoder.bert.", "finetuned": "text_encoder."}
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)

Tensors = dict[str, Tensor]


class Drawing:
    """Random tensors by name. Embeddings are small, so that the epsilon of the norm behind them shows."""

    def __init__(self, seed: int) -> None:
        self.tensors: Tensors = {}
        self._generator = torch.Generator().manual_seed(seed)

    def tensor(self, name: str, *shape: int, std: float, mean: float = 0.0) -> None:
        self.tensors[name] = mean + std * torch.randn(shape, generator=self._generator)

    def linear(self, name: str, outputs: int, inputs: int) -> None:
        self.tensor(f"{name}.weight", outputs, inputs, std=0.1)
        self.tensor(f"{name}.bias", outputs, std=0.1)

    def norm(self, name: str, width: int) -> None:
        self.tensor(f"{name}.weight", width, std=0.2, mean=1.0)
        self.tensor(f"{name}.bias", width, std=0.1)

    def attention(self, name: str, width: int) -> None:
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            self.linear(f"{name}.{part}", width, width)
        self.norm(f"{name}.output.LayerNorm", width)


def published(
    kind: str = "finetuned", *, size: int = 32, patch: int = 16, width: int = WIDTH, seed: int = 0
) -> Tensors:
    """What ``model`` of a published file holds: everything, with NaN in what must not be read."""
    draw, text = Drawing(seed), PREFIXES[kind]
    _draw_image(draw, size, patch, width)
    _draw_text(draw, text, width)
    draw.linear("vision_proj", EMBEDDING, width)
    draw.linear("text_proj", EMBEDDING, width)
    draw.linear("itm_head", 2, width)
    draw.tensors["temp"] = torch.tensor(0.05)
    for name in list(draw.tensors):  # momentum copies
        first, dot, rest = name.partition(".")
        if dot and first != "itm_head":
            draw.tensors[f"{first}_m.{rest}"] = torch.full((1,), math.nan)
    draw.tensors["image_queue"] = draw.tensors["text_queue"] = torch.full((EMBEDDING, 4), math.nan)
    draw.tensors["queue_ptr"] = torch.zeros(1, dtype=torch.long)
    draw.tensors[f"{text}embeddings.position_ids"] = torch.arange(512)[None]
    if kind == "pretraining":
        draw.tensors["text_encoder.cls.predictions.bias"] = torch.full((4,), math.nan)
    return draw.tensors


def _draw_image(draw: Drawing, size: int, patch: int, width: int) -> None:
    draw.tensor("visual_encoder.cls_token", 1, 1, width, std=0.003)
    draw.tensor("visual_encoder.pos_embed", 1, 1 + (size // patch) ** 2, width, std=0.003)
    draw.tensor("visual_encoder.patch_embed.proj.weight", width, 3, patch, patch, std=0.1 / patch**2)
    draw.tensor("visual_encoder.patch_embed.proj.bias", width, std=0.003)
    for i in range(IMAGE_LAYERS):
        block = f"visual_encoder.blocks.{i}"
        draw.norm(f"{block}.norm1", width)
        draw.linear(f"{block}.attn.qkv", 3 * width, width)
        draw.linear(f"{block}.attn.proj", width, width)
        draw.norm(f"{block}.norm2", width)
        draw.linear(f"{block}.mlp.fc1", 4 * width, width)
        draw.linear(f"{block}.mlp.fc2", width, 4 * width)
    draw.norm("visual_encoder.norm", width)


def _draw_text(draw: Drawing, text: str, width: int) -> None:
    draw.tensor(f"{text}embeddings.word_embeddings.weight", VOCABULARY, width, std=0.003)
    draw.tensor(f"{text}embeddings.position_embeddings.weight", 512, width, std=0.003)
    draw.tensor(f"{text}embeddings.token_type_embeddings.weight", 2, width, std=0.003)
    draw.norm(f"{text}embeddings.LayerNorm", width)
    for i in range(TEXT_LAYERS + FUSION_LAYERS):
        layer = f"{text}encoder.layer.{i}"
        draw.attention(f"{layer}.attention", width)
        if i >= TEXT_LAYERS:
            draw.attention(f"{layer}.crossattention", width)
        draw.linear(f"{layer}.intermediate.dense", 4 * width, width)
        draw.linear(f"{layer}.output.dense", width, 4 * width)
        draw.norm(f"{layer}.output.LayerNorm", width)


def file_content(tensors: Tensors) -> dict[str, object]:
    """What the authors' programs save beside the weights."""
    return {
        "model": tensors,
        "optimizer": {"state": {0: {"step": 3, "exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 1e-5}]},
        "lr_scheduler": {"base_values": [1e-5], "noise_range_t": None, "t_in_epochs": True},
        "config": {"image_res": 384, "optimizer": {"opt": "adamW"}, "train_file": ["a.json"]},
        "epoch": 4,
    }


def saved(folder: Path, tensors: Tensors, name: str = "albef.pth") -> Path:
    path = folder / name
    if path.suffix == ".safetensors":
        save_file({key: value.clone() for key, value in tensors.items()}, path)
    else:
        torch.save(file_content(tensors), path)
    return path


def without(tensors: Tensors, *prefixes: str) -> Tensors:
    return {name: value for name, value in tensors.items() if not name.startswith(prefixes)}


class Reference:
    """What the published weights compute: ViT by hand, BERT and its cross-attention by transformers."""

    def __init__(self, tensors: Tensors, kind: str) -> None:
        from transformers import BertConfig, BertModel, BlipTextConfig, BlipTextModel

        self._tensors = tensors
        sizes: dict[str, Any] = {
            "hidden_size": WIDTH,
            "num_attention_heads": HEADS,
            "intermediate_size": 4 * WIDTH,
        }
        sizes |= {"vocab_size": VOCABULARY, "layer_norm_eps": 1e-12}
        of_text, of_fusion = self._text_tensors(PREFIXES[kind])
        bert = BertModel(BertConfig(num_hidden_layers=TEXT_LAYERS, **sizes), add_pooling_layer=False)
        bert.load_state_dict(of_text)
        config = BlipTextConfig(num_hidden_layers=FUSION_LAYERS, encoder_hidden_size=WIDTH, **sizes)
        fusion = BlipTextModel(config, add_pooling_layer=False)
        fusion.encoder.load_state_dict(of_fusion)
        self._bert, self._fusion = bert.eval(), fusion.eval()

    def _text_tensors(self, prefix: str) -> tuple[Tensors, Tensors]:
        of_text, of_fusion = {}, {}
        for name, value in self._tensors.items():
            if not name.startswith(prefix) or name.endswith("position_ids") or ".cls." in name:
                continue
            layer = re.match(r"encoder\.layer\.(\d+)\.(.*)", name[len(prefix) :])
            if layer and int(layer[1]) >= TEXT_LAYERS:
                of_fusion[f"layer.{int(layer[1]) - TEXT_LAYERS}.{layer[2]}"] = value
            else:
                of_text[name[len(prefix) :]] = value
        return of_text, of_fusion

    def image(self, pixels: Tensor, positions: Tensor | None = None) -> Tensor:
        """(b, 1 + patches, width) of (b, size, size, 3) uint8."""
        weights, name = self._tensors, "visual_encoder.patch_embed.proj"
        normal = (pixels / 255.0 - torch.tensor(MEAN)) / torch.tensor(STD)
        patch = weights[f"{name}.weight"].shape[-1]
        cells = functional.conv2d(
            normal.permute(0, 3, 1, 2), weights[f"{name}.weight"], weights[f"{name}.bias"], stride=patch
        )
        patches = cells.flatten(2).transpose(1, 2)
        first = weights["visual_encoder.cls_token"].expand(len(pixels), 1, WIDTH)
        if positions is None:
            positions = weights["visual_encoder.pos_embed"]
        tokens = torch.cat([first, patches], 1) + positions
        for i in range(IMAGE_LAYERS):
            block = f"visual_encoder.blocks.{i}"
            tokens = tokens + self._self_attention(f"{block}.attn", self._norm(f"{block}.norm1", tokens))
            hidden = functional.gelu(self._linear(f"{block}.mlp.fc1", self._norm(f"{block}.norm2", tokens)))
            tokens = tokens + self._linear(f"{block}.mlp.fc2", hidden)
        return self._norm("visual_encoder.norm", tokens)

    def _self_attention(self, name: str, tokens: Tensor) -> Tensor:
        query, key, value = self._linear(f"{name}.qkv", tokens).chunk(3, -1)
        heads = []
        for head in range(HEADS):
            own = slice(head * WIDTH // HEADS, (head + 1) * WIDTH // HEADS)
            scores = query[..., own] @ key[..., own].transpose(1, 2) / math.sqrt(WIDTH // HEADS)
            heads.append(scores.softmax(-1) @ value[..., own])
        return self._linear(f"{name}.proj", torch.cat(heads, -1))

    def _linear(self, name: str, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _norm(self, name: str, inputs: Tensor) -> Tensor:
        weight, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        return functional.layer_norm(inputs, weight.shape, weight, bias, 1e-6)

    def text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(b, l, width)."""
        return self._bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state

    def fuse(self, image: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """(b, width) of aligned pairs."""
        found = self._fusion(encoder_embeds=text, attention_mask=mask.long(), encoder_hidden_states=image)
        return found.last_hidden_state[:, 0]

    def similarity(self, image: Tensor, text: Tensor) -> Tensor:
        """(n, m) of pooled outputs."""
        images = functional.normalize(self._linear("vision_proj", image), dim=-1)
        texts = functional.normalize(self._linear("text_proj", text), dim=-1)
        return images @ texts.T / self._tensors["temp"]

    def matching(self, fused: Tensor) -> Tensor:
        """(n, 2) logits."""
        return self._linear("itm_head", fused)
