from __future__ import annotations

import json

import pytest

from mmulbench.core.backbone import TaskShape
from mmulbench.errors import UsageError
from mmulbench.exports.facts import FACTS, read_facts


def test_an_export_says_what_it_is(kept):
    facts = read_facts(kept)
    assert facts is not None
    assert (facts.family, facts.variant, facts.layout) == ("clip", "tiny", "transformers")
    assert facts.shape == TaskShape() and facts.card.record == "4f5a6b7c8d9e"
    assert facts.config["image_size"] == 32


def test_a_folder_without_it_is_no_export(tmp_path):
    assert read_facts(tmp_path) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format: Input should be 1"),
        ({"digest": "../x"}, "digest: String should match"),
        ({"group": 0}, "group: Input should be greater"),
        ({"layout": "pickle"}, "layout: Input should be"),
        ({"code": "import os"}, "code: Extra inputs"),
    ],
)
def test_what_does_not_describe_an_export_is_refused(change, said, own):
    path = own / FACTS
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UsageError, match=f"{FACTS} does not describe an export: {said}"):
        read_facts(own)


def test_what_is_no_json_is_refused(own):
    (own / FACTS).write_text("{")
    with pytest.raises(UsageError, match="does not describe an export: its content: Invalid JSON"):
        read_facts(own)
