"""Further metrics are measured on the run's own models, however these come to be there."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from mmulbench.core.metric import HEADLINE, Needs, PathMetric
from mmulbench.core.observations import Estimate
from mmulbench.core.registry import METRICS
from mmulbench.errors import NotApplicable, UsageError
from mmulbench.exports.read import open_model
from mmulbench.handover.save import save
from mmulbench.progress import Progress
from mmulbench.records.schema import Value
from mmulbench.records.store import ResultsStore
from mmulbench.runs.added_values import RecordedRun, record_with
from mmulbench.runs.further_metrics import further
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.references import load_original
from mmulbench.runs.run_spec import make_spec
from mmulbench.validity.record import faults, reason_to_make_again


class Heard(Progress):
    def __init__(self):
        self.notes = []

    def note(self, line):
        self.notes.append(line)


@pytest.fixture(scope="module")
def emoji(emoji, tmp_path_factory) -> PreparedTask:
    """The problem of all tests, with records that these tests alone write."""
    store = ResultsStore(tmp_path_factory.mktemp("results"))
    return replace(emoji, workspace=replace(emoji.workspace, store=store))


@pytest.fixture(scope="module")
def made(emoji, quick_method):
    """A run without a reference, and its record."""
    method = quick_method("finetune")
    spec = make_spec(emoji, "finetune", method, 5, 42)
    run = Run(spec, method, "mmulbench run", reference=False, keep=True)
    return run, execute(run, emoji, "always")


@pytest.fixture(autouse=True)
def mean_loss():
    @METRICS.register("mean_loss")
    class MeanLoss(PathMetric):
        """Measures the mean loss of the forget set."""

        title = "Mean loss"
        direction = "lower"
        definition = "mean loss"
        source = "my own"
        needs = Needs(losses=("forget",))
        chance = None

        def compute(self, observation):
            losses = observation.model.losses["forget"]
            return {HEADLINE: Estimate(float(np.mean(losses)), len(losses))}

    yield
    METRICS.discard("mean_loss")


def add(made, prepared, record=None, saved=None, names=("mean_loss",), shadows=0):
    run, stored = made
    record = record or stored.result
    heard = Heard()
    prepared = replace(prepared, workspace=replace(prepared.workspace, progress=heard))
    return record_with(
        RecordedRun(record, run, prepared, saved), further(record, names, shadows)
    ), heard.notes


def test_values_are_added_and_nothing_else_changes(made, emoji):
    before = made[1].result
    found, notes = add(made, emoji)
    assert found.run_id == before.run_id and reason_to_make_again(found) is None and notes == []
    assert {name for name in found.values if name not in before.values} == {
        "mean_loss",
        *(f"mean_loss/{path}" for path in before.histograms),
    }
    assert all(found.values[name] == value for name, value in before.values.items())
    (added,) = found.added
    assert (added.metrics, added.weights, added.differing) == (("mean_loss",), before.weights, ())
    kept = {"values", "added", "code"}
    assert found.model_dump(exclude=kept) == before.model_dump(exclude=kept)


@pytest.mark.slow
def test_what_the_cache_lacks_is_measured_on_the_model_saved_or_made_again(made, emoji, tmp_path):
    wanted, _ = add(made, emoji)
    save(made[1].model, made[1].result, emoji, tmp_path / "model")
    for saved in (None, open_model(str(tmp_path / "model"))):
        shutil.rmtree(emoji.workspace.cache.folder("measurements", {}).parent)
        found, notes = add(made, emoji, saved=saved)
        assert found.values == wanted.values and notes == []
        assert found.added[0].weights == made[1].result.weights


def test_another_model_is_not_taken(made, emoji, tmp_path):
    save(load_original(emoji, 42).model, made[1].result, emoji, tmp_path / "other")
    other = open_model(str(tmp_path / "other"))
    with pytest.raises(UsageError, match=r"other holds another model than that of record .*, not"):
        add(made, emoji, saved=other)
    old = made[1].result.model_copy(update={"weights": None})
    with pytest.raises(UsageError, match=r"nothing shows that .*other holds its model"):
        add(made, emoji, record=old, saved=other)


def test_what_comes_out_otherwise_is_said_and_the_record_s_is_kept(made, emoji):
    before = made[1].result
    name = "mia/matching/accuracy"
    moved = before.values[name].model_copy(update={"value": 0.123})
    record = before.model_copy(update={"values": {**before.values, name: moved}})
    found, notes = add(made, emoji, record=record)
    assert found.values[name] == moved and found.added[0].differing == (name,)
    assert reason_to_make_again(found) is None
    (note,) = notes
    assert note.startswith(
        f"1 of {len(before.values)} values, such as {name}, come out otherwise here than in"
    )


def test_a_metric_that_has_no_value_is_refused_with_its_reason(made, emoji, monkeypatch):
    def refuse(self, observation):
        raise NotApplicable(f"{observation.path} is not for it")

    monkeypatch.setattr(METRICS.get("mean_loss"), "compute", refuse)
    with pytest.raises(NotApplicable, match=r"^mean_loss: contrastive is .*; nothing was added$"):
        add(made, emoji)


def test_a_model_from_elsewhere_has_to_be_given(made, emoji):
    record = made[1].result
    spec = record.spec.model_copy(update={"given": {"unlearned": "albef:mine@0123456789ab"}})
    gone = record.model_copy(update={"spec": spec, "weights": "0" * 64})
    with pytest.raises(UsageError, match="was made elsewhere: name its place with --model"):
        add(made, emoji, record=gone)


@pytest.mark.slow
def test_shadow_models_judge_a_record_later_as_they_would_have_at_once(emoji, quick_method):
    method = quick_method("finetune")
    spec = make_spec(emoji, "finetune", method, 4, 42)
    run = Run(spec, method, "mmulbench run")
    before = execute(run, emoji, "always").result
    found, _ = add((run, execute(run, emoji, "failed")), emoji, names=("u_lira", "klom"), shadows=2)
    assert found.shadows == found.added[0].shadows == 2 and faults(found) == []
    at_once = execute(replace(run, shadows=2), emoji, "always").result
    new = {name: value for name, value in found.values.items() if name not in before.values}
    assert new.keys() == {name for name in at_once.values if name.startswith(("u_lira", "klom"))}
    assert all(isinstance(value, Value) and value == at_once.values[name] for name, value in new.items())
    assert [line for line in found.missing if line.startswith("klom")] == [
        line for line in at_once.missing if line.startswith("klom")
    ]
