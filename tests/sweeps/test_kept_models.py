"""Models of a sweep: all, or the best, whoever comes first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.exports.read import open_model
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.runs.pipeline import Run, StoredRecord, execute
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.references import weights_digest
from mmulbench.runs.run_spec import make_spec
from mmulbench.sweeps.kept_models import JUDGED, KeptModels, merit_of


@pytest.fixture(scope="module")
def emoji(emoji, tmp_path_factory) -> PreparedTask:
    """The problem of all tests, with records that these tests alone write."""
    store = ResultsStore(tmp_path_factory.mktemp("results"))
    return replace(emoji, workspace=replace(emoji.workspace, store=store))


@pytest.fixture(scope="module")
def runs(emoji, quick_method) -> list[StoredRecord]:
    """Runs of two methods, with their models."""
    found = []
    for name in ("finetune", "grad_diff"):
        method = quick_method(name)
        run = Run(make_spec(emoji, name, method, 4, 42), method, "mmulbench run", keep=True)
        found.append(execute(run, emoji, "failed"))
    return found


def models(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.rglob("mmulbench.json"))


def names(runs: list[StoredRecord]) -> list[str]:
    return [f"{one.result.spec.method}-42-{one.result.run_id}" for one in runs]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_best_stays_in_whatever_order_they_come(runs, order, emoji, tmp_path):
    kept = KeptModels(tmp_path)
    for place in order:
        for folder in tmp_path.iterdir():
            (folder / "somebody's").mkdir(exist_ok=True)
        assert kept.wants(runs[place].result.spec)
        kept.deliver(runs[place], emoji)
        assert not kept.wants(runs[place].result.spec)
    best = min(runs, key=lambda one: merit_of(one.result) or [9.0])
    assert models(tmp_path) == names([best])
    (judged,) = tmp_path.rglob(JUDGED)
    assert (judged.parent / "somebody's").is_dir()
    assert json.loads(judged.read_text())["runs"] == sorted(one.result.run_id for one in runs)
    opened = open_model(str(judged.parent / names([best])[0]))
    assert weights_digest(opened.load(emoji.task.shape)) == best.result.weights


def test_all_are_kept_where_all_are_wanted(runs, emoji, tmp_path):
    kept = KeptModels(tmp_path, best=False)
    for stored in (*runs, *runs):
        kept.deliver(stored, emoji)
    assert models(tmp_path) == sorted(f"emoji-{name}" for name in names(runs))


def test_references_are_no_candidates(emoji, quick_method, tmp_path):
    spec = make_spec(emoji, "original", quick_method("original"), 4, 42)
    assert not KeptModels(tmp_path).wants(spec) and KeptModels(tmp_path, best=False).wants(spec)


def changed(record: RunResult, **values: float) -> RunResult:
    own = {name: record.values[name].model_copy(update={"value": one}) for name, one in values.items()}
    return record.model_copy(update={"values": {**record.values, **own}})


def test_who_lost_utility_comes_after_all_who_did_not(runs):
    record = runs[0].result
    retrain = record.values["test"].retrain
    assert retrain is not None
    good = changed(record, retrain_gap=0.5, test=retrain, retain=record.values["retain"].retrain or 0.0)
    near = changed(good, retrain_gap=0.1, test=retrain - 0.04)
    nearer = changed(good, retrain_gap=0.4)
    assert sorted((near, good, nearer), key=lambda one: merit_of(one) or [9.0]) == [nearer, good, near]
    assert merit_of(record.model_copy(update={"status": "failed"})) is None


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_what_is_damaged_is_said_in_one_line(runs, emoji, tmp_path, text):
    kept = KeptModels(tmp_path)
    kept.deliver(runs[0], emoji)
    (judged,) = tmp_path.rglob(JUDGED)
    judged.write_text(text)
    with pytest.raises(MmulbenchError, match="is damaged: remove its folder"):
        kept.wants(runs[0].result.spec)
