"""Every task with every backbone that serves it, at the size of a test; with its own, many methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest

from mmulbench.core.registry import BACKBONES, TASKS
from mmulbench.core.task import Task
from mmulbench.metrics.catalogue import headline_metrics
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.runs.backbones import find_backbone, serving
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import PreparedTask, Workspace, prepare
from mmulbench.runs.run_spec import make_spec

METHOD_NAMES = ("original", "retrain", "finetune", "gradient_ascent", "scrub", "mmul")
FEW_METHODS = ("original", "retrain", "mmul")
"""What is run with a backbone that is not the task's own: training, unlearning, and all that is measured."""

LIMIT, FORGET, SEED = 40, 4, 42

OF_TABLES = ("pairs", "labelled")
"""Tasks whose items are those of other tasks here: what is theirs is how they are read."""

PAIRS = [
    (name, backbone)
    for name in TASKS.names()
    for backbone in serving(TASKS.get(name)())[: 1 if name in OF_TABLES else None]
]


@pytest.fixture(scope="module")
def small_task():
    """A task of so few units; each loads its data once for all backbones."""
    made: dict[str, Task] = {}

    def make(name: str, data_dir: Path) -> Task:
        if name not in made:
            cls = TASKS.get(name)
            limited = "limit" in {field.name for field in fields(cls.Config)}
            task = cls(cls.Config(**({"limit": LIMIT} if limited else {})))
            data = task.load(data_dir, Progress())
            task.load = lambda data_dir, progress: data  # type: ignore[method-assign]
            made[name] = task
        return made[name]

    return make


@pytest.fixture
def run_all(workspace, small_task, quick_method, kept):
    """The records of all methods, by name."""

    def run(name: str, backbone: str, method_names: Sequence[str]) -> dict[str, RunResult]:
        place: Workspace = replace(workspace, data_dir=kept)
        task = small_task(name, kept)
        recipe = replace(task.recipe, epochs=1, batch_size=32)
        prepared: PreparedTask = prepare(name, task, find_backbone(f"{backbone}:tiny", task), recipe, place)
        records = {}
        for method_name in method_names:
            method = quick_method(method_name)
            spec = make_spec(prepared, method_name, method, FORGET, SEED)
            records[method_name] = execute(Run(spec, method, "test"), prepared, "always").result
        return records

    return run


@pytest.mark.parametrize(("name", "backbone"), PAIRS, ids=map("-".join, PAIRS))
def test_all_methods(name, backbone, run_all):
    own = TASKS.get(name).default_backbone.partition(":")[0]
    records = run_all(
        name, backbone, METHOD_NAMES if backbone == own and name not in OF_TABLES else FEW_METHODS
    )
    for method, record in records.items():
        assert record.status == "done", f"{method}: {record.reason}"
        empty = [metric.name for metric in headline_metrics() if record.values[metric.name].value is None]
        assert not empty, f"{method}: {record.missing}"
    assert records["original"].values["mi_ratio"].value == pytest.approx(0.0)
    assert records["retrain"].values["retrain_gap"].value == 0.0
    scores = {method: record.values["test"].original for method, record in records.items()}
    assert len(set(scores.values())) == 1, "all methods start from the same original"
    unlearned = [record for method, record in records.items() if method not in ("original", "retrain")]
    assert all(record.cost is not None and record.cost.steps > 0 for record in unlearned)


def test_every_backbone_serves_a_task():
    assert {backbone for _, backbone in PAIRS} == set(BACKBONES.names())
