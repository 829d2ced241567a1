"""The code of a model card runs as it stands, in the card's folder."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from given_models import CARD, CLASSES, GROUPS, RETRIEVAL, answers, loud, opened
from PIL import Image

from mmulbench.exports.write import write_model

CASES = {
    "CLIP": ("clip:tiny", RETRIEVAL),
    "SigLIP": ("siglip", RETRIEVAL),
    "BLIP": ("blip", RETRIEVAL),
    "ViLT": ("vilt", RETRIEVAL),
    "ViLT for classes": ("vilt:tiny", CLASSES),
    "ViLT for groups": ("vilt:tiny", GROUPS),
    "BLIP for classes": ("blip:tiny", CLASSES),
    "ALBEF": ("albef", RETRIEVAL),
    "ALBEF here": ("albef:tiny", GROUPS),
}


@pytest.mark.parametrize(("full_name", "shape"), CASES.values(), ids=CASES)
def test_the_code_of_a_card_runs(full_name, shape, start, tmp_path, monkeypatch):
    backbone = opened(full_name) if ":" in full_name else start(full_name)
    model = loud(backbone, shape)
    write_model(model, backbone, shape, tmp_path / "export", CARD)
    monkeypatch.chdir(tmp_path / "export")
    Image.effect_noise((50, 40), 60).convert("RGB").save("picture.png")
    blocks = re.findall(r"```python\n(.*?)```", (tmp_path / "export" / "README.md").read_text(), re.DOTALL)
    found: dict[str, Any] = {}
    for block in blocks:
        exec(block, found)
    assert len(blocks) == (1 if full_name == "albef:tiny" else 2)
    if full_name == "albef":
        assert torch.equal(found["weights"]["itm_head.weight"], model.state_dict()["matching.weight"])
    elif not full_name.startswith("albef") and (not shape.classes or "vilt" in full_name):
        assert {"scores", "matching"} & found.keys()
    mine, theirs = answers(model, backbone, shape), answers(found["model"], backbone, shape)
    assert all(torch.equal(value, theirs[path]) for path, value in mine.items())
