"""Reading a checkpoint, here BLIP's, and spoiling it."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import blip_checkpoints
import torch

from mmulbench.backbones.blip import BlipBackbone
from mmulbench.core.backbone import RawItems


def load(folder: Path | str) -> BlipBackbone:
    return BlipBackbone.from_checkpoint(str(folder))


def everything(folder: Path) -> None:
    """All that a run reads of a checkpoint."""
    backbone = load(folder)
    backbone.prepare("text", RawItems(texts=("a red heart",)), lambda iterable, total, description: iterable)
    backbone.build()


def change_json(path: Path, **changes) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def spoil_weight(folder: Path) -> None:
    blip_checkpoints.make(seed=1).save_pretrained(folder)


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def pickled(folder: Path, content: bytes | object) -> None:
    (folder / "model.safetensors").unlink()
    if isinstance(content, bytes):
        (folder / "pytorch_model.bin").write_bytes(content)
    else:
        torch.save(content, folder / "pytorch_model.bin")


def bare_pickle(place: Path) -> bytes:
    return pickle.dumps({"x": Hostile(place)}, protocol=2)
