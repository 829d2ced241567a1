"""Which code decides a run's numbers, and what of it is another today."""

from __future__ import annotations

import pytest

from mmulbench.core.registry import METRICS
from mmulbench.core.run_code import changed_code, code_of_run
from mmulbench.errors import UsageError


def test_method_task_and_backbone_are_known_and_own_metrics_are_not():
    code = code_of_run("mmulbench.methods.mmul", "emoji", "albef:tiny")
    assert list(code) == ["method", "task", "backbone"]
    assert len({*code.values(), code_of_run("mmulbench.methods.scrub", "emoji", "albef")["method"]}) == 4
    with pytest.raises(UsageError, match="unknown task"):
        code_of_run("mmulbench.methods.mmul", "emojis", "albef")


def test_what_reads_checkpoints_counts_where_there_is_one():
    plain, read = (
        code_of_run("mmulbench.methods.mmul", "emoji", name)["backbone"]
        for name in ("albef:tiny", "albef:flickr30k.pth@0123456789ab")
    )
    assert plain != read


def test_metrics_of_others_are_known(monkeypatch):
    monkeypatch.setattr(METRICS, "names", lambda: ["mia", "theirs"])
    own = METRICS.module_of
    monkeypatch.setattr(METRICS, "module_of", lambda name: __name__ if name == "theirs" else own(name))
    assert "metric theirs" in code_of_run("mmulbench.methods.mmul", "emoji", "albef")


def test_what_either_side_lacks_is_not_called_changed():
    today = {"method": "a", "task": "b", "metric mine": "c"}
    assert changed_code({"method": "x", "task": "b", "metric gone": "d"}, today) == ["method"]
    assert changed_code({}, today) == []
