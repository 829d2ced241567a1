from __future__ import annotations

import pytest
import transformers

from mmulbench.core.backbone import TaskShape
from mmulbench.exports.transformers_forms import form_of


@pytest.mark.parametrize(
    ("labels", "images", "shape", "name"),
    [
        (2, -1, TaskShape(), "ViltForImageAndTextRetrieval"),
        (2, 2, TaskShape(2, 2), "ViltForImagesAndTextClassification"),
        (3, 1, TaskShape(3), "ViltForImagesAndTextClassification"),
        (3, -1, TaskShape(3), "ViltForQuestionAnswering"),
        (2, 2, TaskShape(3, 2), "ViltModel"),
        (2, -1, TaskShape(2, 2), "ViltModel"),
        (2, -1, TaskShape(0, 2), "ViltModel"),
    ],
)
def test_vilt_has_a_class_where_its_head_fits(labels, images, shape, name):
    config = transformers.ViltConfig(num_labels=labels, num_images=images)
    assert form_of("vilt", shape, config).name == name


def test_names_are_translated_where_they_have_a_place():
    form = form_of("siglip", TaskShape(), transformers.SiglipConfig())
    assert form.theirs("text_projection.weight") == "text_model.head.weight"
    assert form.theirs("image.head.probe") == "vision_model.head.probe"
    assert form.theirs("classes.0.weight") is None
    assert form.cls is transformers.SiglipModel


def test_what_a_classifier_does_not_have_is_named():
    assert form_of("blip", TaskShape(3), None).absent == ("vision_proj", "text_proj", "itm_head")
    assert form_of("blip", TaskShape(), None).absent == ()
    assert form_of("siglip", TaskShape(3), None).unused.keys() == {"logit_scale", "logit_bias"}
