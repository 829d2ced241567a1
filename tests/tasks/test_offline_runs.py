"""Each offline image-text task through the whole pipeline, at the size of a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmulbench.core.registry import TASKS
from mmulbench.metrics.catalogue import headline_metrics
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import prepare
from mmulbench.runs.run_spec import make_spec


@pytest.mark.parametrize(
    ("name", "measure"), [("flags", "test/i2t_r@1"), ("emoji_nlvr", "test/accuracy"), ("flags_ve", "test/f1")]
)
def test_a_run_with_reference(name, measure, workspace, quick_method):
    cls = TASKS.get(name)
    task = cls(cls.Config(**{"limit": 40}))
    recipe = replace(task.recipe, epochs=1, batch_size=32)
    prepared = prepare(name, task, find_backbone("albef:tiny", task), recipe, workspace)
    method = quick_method("mmul")
    spec = make_spec(prepared, "mmul", method, 4, 42)
    record = execute(Run(spec, method, "test"), prepared, "always").result
    assert record.status == "done", record.reason
    assert all(record.values[metric.name].value is not None for metric in headline_metrics())
    assert 0 <= record.values[measure].value <= 1 and record.values[measure].retrain is not None
    assert record.spec.task_config == {"limit": 40}
