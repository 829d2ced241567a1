"""Every task with every backbone that serves it, at a test's size; one of each kind, with many methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

MANY = ("original", "retrain", "finetune", "gradient_ascent", "scrub", "mmul")
"""What the first task of a kind is run with, and its own backbone."""

FEW = ("original", "retrain", "mmul")
"""What the first task of a kind is run with on other backbones, and any other task on its own."""

LIMIT, FORGET, SEED = 40, 4, 42

OF_TABLES = ("pairs", "labelled")
"""Tasks whose items are those of other tasks here: what is theirs is how they are read."""


def kind_of(name: str) -> tuple[object, ...]:
    """What of a task decides what backbones and methods do with it."""
    task = TASKS.get(name)()
    return task.modalities, task.shape.kind


FIRST = {kind_of(name): name for name in reversed(TASKS.names())}
"""The first task of each kind."""


def pairs() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """A task, a backbone that serves it, and methods; the original alone where both are tried elsewhere."""
    for name in TASKS.names():
        is_first = name == FIRST[kind_of(name)]
        own, *others = serving(TASKS.get(name)())
        yield name, own, MANY if is_first else FEW
        for backbone in others if name not in OF_TABLES else ():
            yield name, backbone, FEW if is_first else FEW[:1]


PAIRS = list(pairs())


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
            run = Run(spec, method, "test", reference=len(method_names) > 1)
            records[method_name] = execute(run, prepared, "always").result
        return records

    return run


@pytest.mark.parametrize(
    ("name", "backbone", "methods"), PAIRS, ids=[f"{name}-{backbone}" for name, backbone, _ in PAIRS]
)
def test_all_methods(name, backbone, methods, run_all):
    records = run_all(name, backbone, methods)
    for method, record in records.items():
        assert record.status == "done", f"{method}: {record.reason}"
    scores = {method: record.values["test"].original for method, record in records.items()}
    assert len(set(scores.values())) == 1, "all methods start from the same original"
    assert scores["original"] is not None
    if "retrain" not in records:
        return
    for method, record in records.items():
        empty = [metric.name for metric in headline_metrics() if record.values[metric.name].value is None]
        assert not empty, f"{method}: {record.missing}"
    assert records["original"].values["mi_ratio"].value == pytest.approx(0.0)
    assert records["retrain"].values["retrain_gap"].value == 0.0
    unlearned = [record for method, record in records.items() if method not in ("original", "retrain")]
    assert all(record.cost is not None and record.cost.steps > 0 for record in unlearned)


def test_every_backbone_serves_a_task():
    assert {backbone for _, backbone, _ in PAIRS} == set(BACKBONES.names())


def test_each_kind_of_task_is_run_with_every_backbone_and_more_than_the_original():
    tried = {(kind_of(name), backbone) for name, backbone, methods in PAIRS if len(methods) > 1}
    assert tried == {
        (kind_of(name), backbone) for name in TASKS.names() for backbone in serving(TASKS.get(name)())
    }
