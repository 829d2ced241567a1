"""A record or a cache entry that other code made is not taken for what today's code would make."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import replace

import pytest

from mmulbench.core.forget_set import ForgetSet
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import features_key
from mmulbench.runs.references import original_inputs, retrain_inputs
from mmulbench.runs.run_spec import make_spec

METHOD = """
import torch

from mmulbench import Method


class Edited(Method):
    def unlearn(self, problem):
        model = problem.copy_of_original()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.5)  # half of it
        return model
"""


@pytest.fixture
def edit(tmp_path, monkeypatch):
    """Writes a module, imports it anew and returns it."""
    monkeypatch.syspath_prepend(tmp_path)
    times = iter(range(10**9, 2 * 10**9, 10))

    def written(name: str, text: str):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        os.utime(path, (next(times),) * 2)  # the clock of a file system can be slower than a test
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield written
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_a_run_of_an_edited_method_is_made_again_and_says_so(emoji, make_workspace, edit):
    notes: list[str] = []
    workspace = make_workspace()
    workspace.progress.note = notes.append
    prepared = replace(emoji, workspace=workspace)

    def run(text: str):
        method = edit("edited_method", text).Edited()
        spec = make_spec(prepared, "edited_method", method, 4, 1)
        return execute(Run(spec, method, "test", reference=False), prepared, "failed")

    first = run(METHOD)
    assert first.is_new and set(first.result.code) == {"method", "task", "backbone"}
    assert not run(METHOD.replace("half of it", "a half")).is_new
    assert not notes
    again = run(METHOD.replace("0.5", "-0.5"))
    assert again.is_new and again.result.run_id == first.result.run_id
    assert again.result.values["test/contrastive"] != first.result.values["test/contrastive"]
    assert notes == [
        f"record {first.result.run_id} was made by other code of method: it is made again",
    ]


def test_records_of_before_code_was_recorded_are_found(emoji, make_workspace, edit):
    prepared = replace(emoji, workspace=make_workspace())
    method = edit("edited_method", METHOD).Edited()
    run = Run(make_spec(prepared, "edited_method", method, 4, 1), method, "test", reference=False)
    made = execute(run, prepared, "failed")
    prepared.workspace.store.write(made.result.model_copy(update={"code": {}}))
    assert not execute(run, prepared, "failed").is_new


def test_a_run_whose_record_does_not_hold_is_made_again_and_says_so(emoji, make_workspace, edit):
    notes: list[str] = []
    workspace = make_workspace()
    workspace.progress.note = notes.append
    prepared = replace(emoji, workspace=workspace)
    method = edit("edited_method", METHOD).Edited()
    run = Run(make_spec(prepared, "edited_method", method, 4, 1), method, "test", reference=False)
    made = execute(run, prepared, "failed").result
    test = made.values["test"].model_copy(update={"value": 17.0})
    workspace.store.write(made.model_copy(update={"values": {**made.values, "test": test}}))
    assert not execute(run, prepared, "never").is_new
    again = execute(run, prepared, "failed")
    assert again.is_new and again.result.values == made.values
    (note,) = notes
    assert note.startswith(f"record {made.run_id} does not hold (values.test.value is 17; it should be ")
    assert note.endswith(": it is made again")


def test_a_wrong_command_is_written_anew_without_a_run(emoji, make_workspace, edit):
    prepared = replace(emoji, workspace=make_workspace())
    method = edit("edited_method", METHOD).Edited()
    spec = make_spec(prepared, "edited_method", method, 4, 1)
    execute(Run(spec, method, "rm -rf ~", reference=False), prepared, "failed")
    found = execute(Run(spec, method, "mmulbench run", reference=False), prepared, "failed")
    assert not found.is_new
    stored = prepared.workspace.store.find(spec)
    assert stored is not None and stored.command == found.result.command == "mmulbench run"


def test_inputs_and_originals_are_known_by_the_code_of_backbone_and_task(emoji, edit):
    head = "from mmulbench.backbones.albef import AlbefBackbone\n\n\n"
    backbone = f"{head}class Edited(AlbefBackbone):\n    SIZE = 1\n"
    keys = [
        features_key(emoji.data, edit("edited_backbone", text).Edited("tiny"))
        for text in (backbone, backbone.replace("SIZE = 1", "SIZE = 2"), backbone + "# the same\n")
    ]
    assert keys[0]["code"] != keys[1]["code"]
    assert {**keys[0], "code": None} == {**keys[1], "code": None}
    assert keys[0] == keys[2]
    known = original_inputs(emoji, 1)
    assert known["task_code"] and known["code"]
    assert retrain_inputs(emoji, ForgetSet(emoji.data.train.units[:4]), 1)["method"]
