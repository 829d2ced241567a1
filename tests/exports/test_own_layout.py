from __future__ import annotations

import json

import plain_backbone
import pytest
import torch
from given_models import CARD, CLASSES, RETRIEVAL, loud, opened

from mmulbench.core.registry import BACKBONES
from mmulbench.errors import UsageError
from mmulbench.exports import own_layout
from mmulbench.exports.read import open_model
from mmulbench.exports.write import write_model


@pytest.fixture
def written(tmp_path):
    backbone = opened("gtnn:tiny")
    write_model(loud(backbone, CLASSES), backbone, CLASSES, tmp_path / "export", CARD)
    return tmp_path / "export"


def change(folder, **changes):
    path = folder / "mmulbench.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_variant_that_is_unknown_is_refused(written):
    change(written, variant="tinier")
    with pytest.raises(UsageError, match=r"gtnn:tinier, unknown here; did you mean tiny"):
        open_model(str(written))


def test_a_variant_whose_settings_have_changed_is_refused(written):
    change(written, config={**json.loads((written / "mmulbench.json").read_text())["config"], "layers": 5})
    with pytest.raises(UsageError, match="its settings have changed"):
        open_model(str(written))


def test_missing_weights_are_named(written):
    (written / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"holds no weights: looked for model\.safetensors"):
        open_model(str(written))


def test_it_gives_no_start(written):
    with pytest.raises(UsageError, match="export of gtnn:tiny, which training starts anew"):
        open_model(str(written)).start()


def test_packaged_encoders_stay_outside(tmp_path):
    backbone = opened("albef:packaged")
    model = loud(backbone)
    write_model(model, backbone, RETRIEVAL, tmp_path / "export", CARD)
    again = open_model(str(tmp_path / "export")).load(RETRIEVAL)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())


def test_a_start_that_no_layout_has_is_refused(monkeypatch):
    backbone = opened("gtnn:tiny")
    monkeypatch.setattr(backbone, "variant", "mine@0123456789ab")
    with pytest.raises(UsageError, match="cannot be exported: it started from a checkpoint"):
        own_layout.pack(loud(opened("gtnn:tiny"), CLASSES), backbone)


def test_a_backbone_of_others_falls_back_on_it(tmp_path):
    backbone = BACKBONES.register(plain_backbone.NAME)(plain_backbone.Plain)("tiny")
    try:
        model = loud(backbone, CLASSES)
        write_model(model, backbone, CLASSES, tmp_path / "export", CARD)
        again = open_model(str(tmp_path / "export"), plain_backbone.NAME).load(CLASSES)
    finally:
        BACKBONES.discard(plain_backbone.NAME)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
