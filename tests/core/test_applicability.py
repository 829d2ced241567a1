from __future__ import annotations

import pytest

from mmulbench.core.applicability import reasons_by_backbone, reasons_by_method, reasons_by_task
from mmulbench.core.registry import BACKBONES, METHODS, TASKS
from mmulbench.errors import MmulbenchError
from mmulbench.runs.backbones import serving


def test_both_sides_say_the_same():
    by_method = {task: reasons_by_method(task) for task in TASKS.names()}
    for method in METHODS.names():
        assert reasons_by_task(METHODS.get(method)) == {task: by_method[task][method] for task in by_method}


@pytest.mark.parametrize("name", ["emoji", "pgr", "flags_ve", "nlvr2"])
def test_backbones_without_a_reason_are_those_that_serve(name):
    task = TASKS.get(name)()
    found = reasons_by_backbone(task)
    assert [one for one, reason in found.items() if reason is None] == serving(task)
    assert set(found) == set(BACKBONES.names())


def test_what_cannot_be_imported_hides_nothing_else(monkeypatch):
    get = METHODS.get

    def broken(name):
        if name == "ssd":
            raise MmulbenchError("method 'ssd' cannot be loaded")
        return get(name)

    monkeypatch.setattr(METHODS, "get", broken)
    found = reasons_by_method("emoji")
    assert found["ssd"] == "method 'ssd' cannot be loaded"
    assert found["mmul"] is None
