from __future__ import annotations

import json

from mmulbench.records.schema import ForgetList, RunSpec
from mmulbench.runs.run_spec import make_spec

LIST = ForgetList(digest="a" * 64, level="units", pairs=9)


def test_a_specification_holds_what_decides_the_numbers(emoji, quick_method):
    spec = make_spec(emoji, "mmul", quick_method("mmul", epochs=2), 4, 42)
    assert (spec.task, spec.backbone, spec.method, spec.forget_size, spec.seed) == (
        "emoji",
        "albef:tiny",
        "mmul",
        4,
        42,
    )
    assert (spec.task_config["limit"], spec.config["epochs"], spec.recipe["epochs"]) == (60, 2, 1)
    assert spec.data_fingerprint == emoji.data.fingerprint


def test_a_list_makes_another_run_and_its_absence_the_one_of_before(emoji, quick_method):
    method = quick_method("mmul")
    drawn, listed = (make_spec(emoji, "mmul", method, 4, 42, forget) for forget in (None, LIST))
    other = listed.model_copy(update={"forget": LIST.model_copy(update={"digest": "b" * 64})})
    assert len({drawn.run_id, listed.run_id, other.run_id}) == 3
    assert "forget" not in json.loads(drawn.model_dump_json())
    assert RunSpec.model_validate_json(listed.model_dump_json()) == listed
    assert (drawn.forget_text, listed.forget_text) == (
        "forget size 4",
        "forget list aaaaaaaa of 4 units",
    )
