"""ALBEF's layout is read by torch as data, by our reader, and has what the authors' programs ask for."""

from __future__ import annotations

from dataclasses import replace

import albef_checkpoints
import pytest
import torch
from given_models import CARD, CLASSES, RETRIEVAL, answers, inputs_of, loud, opened

from mmulbench.backbones._albef_config import BASE
from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.errors import UsageError
from mmulbench.exports.albef_file import FILE, PICKLE, has_published_form
from mmulbench.exports.read import open_model
from mmulbench.exports.write import write_model


@pytest.fixture(scope="module")
def written(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("albef") / "export"
    model = loud(start("albef"))
    write_model(model, start("albef"), RETRIEVAL, folder, CARD)
    return folder, model


def test_only_published_forms_are_written_so():
    assert has_published_form(BASE) and has_published_form(replace(BASE, width=128, heads=2, patch=8))
    for change in ({"heads": 6}, {"text_length": 40}, {"product": 64}, {"text_epsilon": 1e-5}):
        assert not has_published_form(replace(BASE, **change))
    assert not any(
        has_published_form(opened(f"albef:{name}").config) for name in ("packaged", "tiny", "small")
    )


def test_torch_reads_it_as_data_and_stores_momentum_copies_once(written):
    folder, _ = written
    content = torch.load(folder / PICKLE, weights_only=True)
    tensors = content["model"]
    assert content["config"]["train_file"] == list(CARD.trained_on)
    for name in (
        "visual_encoder.pos_embed",
        "text_proj.weight",
        "text_encoder.encoder.layer.0.output.dense.bias",
    ):
        part, _, rest = name.partition(".")
        assert tensors[f"{part}_m.{rest}"].data_ptr() == tensors[name].data_ptr()
    assert not any(name.startswith(("itm_head_m", "temp_m")) for name in tensors)
    expected = albef_checkpoints.without(
        albef_checkpoints.published(width=64), "image_queue", "text_queue", "queue_ptr"
    )
    assert tensors.keys() == {name for name in expected if not name.endswith("position_ids")}
    assert (folder / PICKLE).stat().st_size < 1.1 * (folder / FILE).stat().st_size


@pytest.mark.parametrize("file", [FILE, PICKLE])
def test_our_reader_of_published_files_takes_it(file, written):
    folder, model = written
    backbone = AlbefBackbone.from_checkpoint(str(folder / file))
    found = answers(backbone.build(), backbone, RETRIEVAL)
    for path, value in answers(model, backbone, RETRIEVAL).items():
        # The temperature itself is in this layout, not its logarithm.
        torch.testing.assert_close(found[path], value, rtol=1e-5, atol=1e-5)


def test_the_published_model_scores_alike(tmp_path):
    """BERT and its cross-attention by transformers, the ViT by hand, on the tensors of the file."""
    backbone = AlbefBackbone.from_checkpoint(
        str(albef_checkpoints.saved(tmp_path, albef_checkpoints.published()))
    )
    model = loud(backbone, scale=0.05)
    write_model(model, backbone, RETRIEVAL, tmp_path / "export", CARD)
    reference = albef_checkpoints.Reference(
        torch.load(tmp_path / "export" / PICKLE, weights_only=True)["model"], "finetuned"
    )
    texts = inputs_of(backbone, "text")
    with torch.no_grad():
        image = reference.image(inputs_of(backbone, "image")["pixels"])
        text = reference.text(texts["ids"].long(), texts["mask"])
        similarity = reference.similarity(image[:, 0], text[:, 0])
        matching = reference.matching(reference.fuse(image, text, texts["mask"]))
    mine = answers(model, backbone, RETRIEVAL)
    torch.testing.assert_close(mine["contrastive"], similarity, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(mine["matching"], matching, rtol=1e-3, atol=1e-3)
    assert similarity.std() > 0.01 and matching.std() > 0.01, "too alike to tell"


def test_a_file_alone_is_taken_with_both_paths(published):
    given = open_model(str(published["albef"]))
    assert given.facts is None and given.label.startswith("albef.pth@")
    model = given.load(RETRIEVAL)
    assert torch.equal(
        model.state_dict()["matching.weight"], albef_checkpoints.published(width=64)["itm_head.weight"]
    )
    assert given.trained_on == {"a.json"}


@pytest.mark.parametrize(
    ("gone", "said"),
    [("itm_head", "lacks itm_head"), ("temp", "lacks temp"), ("text_proj.", "lacks text_proj")],
)
def test_a_path_whose_weights_are_missing_is_refused(gone, said, tmp_path):
    tensors = albef_checkpoints.without(albef_checkpoints.published(width=64), gone)
    path = albef_checkpoints.saved(tmp_path, tensors)
    with pytest.raises(UsageError, match=f"albef.pth {said}: it holds no model for retrieval"):
        open_model(str(path)).load(RETRIEVAL)


def test_a_head_for_classes_that_is_missing_is_refused(published):
    with pytest.raises(UsageError, match=r"lacks a head for these classes \(cls_head\): .* 3 classes"):
        open_model(str(published["albef"])).load(CLASSES)
