"""ViLT checkpoints as published, but tiny: written by transformers itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from vilt_toys import louder

from mmulbench.backbones._packaged_encoders import _minilm_folder
from mmulbench.seeds import torch_seeded

PUBLISHED = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 64,
    "patch_size": 32,
    "max_position_embeddings": 10,
}
RETRIEVAL, NLVR2, MLM = "ForImageAndTextRetrieval", "ForImagesAndTextClassification", "ForMaskedLM"
NLVR2_SETTINGS = {"num_images": 2, "modality_type_vocab_size": 3, "id2label": {0: "False", 1: "True"}}


def write_checkpoint(folder: Path, kind: str, weights: str = "one file", seed: int = 0, **settings) -> Any:
    """A small checkpoint as ``dandelin/vilt-b32-*`` are published; the transformers model itself."""
    import transformers

    config = transformers.ViltConfig(**{**PUBLISHED, **settings})
    with torch_seeded(seed, kind):
        model = getattr(transformers, f"Vilt{kind}")(config).eval()
    louder(model).requires_grad_(False)
    if weights == "pickle":
        model.config.save_pretrained(folder)
        # Older transformers stored this buffer too.
        position_ids = {
            "vilt.embeddings.text_embeddings.position_ids": torch.arange(
                PUBLISHED["max_position_embeddings"]
            )[None]
        }
        torch.save({**model.state_dict(), **position_ids}, folder / "pytorch_model.bin")
    else:
        model.save_pretrained(folder, max_shard_size="60KB" if weights == "shards" else "1GB")
    for name in ("tokenizer.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copy(_minilm_folder() / name, folder / name)
    tokenizer = {"do_lower_case": True, "model_max_length": 40, "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    processor = {
        "do_normalize": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.25],
        "resample": 3,
        "image_processor_type": "ViltFeatureExtractor",
        "size": {"shortest_edge": 64},
        "size_divisor": 32,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return model
