"""Which backbone a name means, and which tasks it serves."""

from __future__ import annotations

import pytest

from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.core.backbone import TaskShape
from mmulbench.core.registry import TASKS
from mmulbench.errors import UsageError
from mmulbench.runs.backbones import find_backbone, serving

IMAGES = ["albef", "blip", "clip", "vilt"]


def task(name: str):
    return TASKS.get(name)()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("emoji", IMAGES), ("flags_ve", IMAGES), ("nlvr2", IMAGES), ("hpo_pgr", ["gtnn"]), ("gdpr", ["gtnn"])],
)
def test_which_backbones_serve_a_task(name, expected):
    assert serving(task(name)) == expected


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (TaskShape(), "retrieval"),
        (TaskShape(group=2), "retrieval"),
        (TaskShape(classes=3), "classification"),
        (TaskShape(classes=2, group=2), "group classification"),
    ],
)
def test_the_kind_of_a_task(shape, kind):
    assert shape.kind == kind


def test_family_alone_means_its_first_variant():
    assert find_backbone("albef", task("emoji")).full_name == "albef:packaged"
    assert find_backbone("clip:tiny-siglip", task("emoji")).full_name == "clip:tiny-siglip"


@pytest.mark.parametrize(
    ("name", "task_name", "message"),
    [
        ("gtnn", "emoji", "backbone gtnn reads graph and text, but the task pairs image and text; choose "),
        ("blip", "pgr", "backbone blip reads image and text, but the task pairs graph and text; choose gtnn"),
        ("albeff", "emoji", "unknown backbone 'albeff'; did you mean albef?"),
        ("albef:tinny", "emoji", "unknown variant 'tinny' of backbone albef; did you mean tiny?"),
        ("gtnn:/some/checkpoint", "hpo_pgr", "the backbone gtnn reads no checkpoints"),
        ("blip:/some/checkpoint", "emoji", "the checkpoint /some/checkpoint is not there"),
    ],
)
def test_what_does_not_fit_is_refused(name, task_name, message):
    with pytest.raises(UsageError) as error:
        find_backbone(name, task(task_name))
    assert message in str(error.value)


def test_a_kind_of_task_that_a_backbone_does_not_serve_is_refused(monkeypatch):
    monkeypatch.setattr(AlbefBackbone, "serves", ("retrieval", "classification"))
    assert find_backbone("albef", task("flags_ve")).name == "albef"
    with pytest.raises(UsageError) as error:
        find_backbone("albef", task("emoji_nlvr"))
    assert str(error.value) == (
        "backbone albef serves retrieval and classification, but the task is group classification; "
        "choose blip or clip or vilt"
    )
