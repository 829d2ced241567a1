"""However little data there is, a run has its values, and the reasons of those that are missing."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from mmulbench.conformance.tiny_tasks import TINY_TASKS
from mmulbench.records.schema import RunResult
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import PreparedTask, prepare
from mmulbench.runs.run_spec import make_spec

KINDS = {kind.name: kind for kind in TINY_TASKS}
SEED = 42


def cut(kind: str, workspace, one_pair: bool, sizes: dict[str, int]) -> PreparedTask:
    """A tiny task of which only so many units of some splits are left, perhaps with one pair each."""
    base = type(KINDS[kind].task())

    class Cut(base):  # type: ignore[misc, valid-type]
        def load(self, data_dir, progress):
            data = super().load(data_dir, progress)
            splits = {name: getattr(data, name) for name in ("train", "validation", "test")}
            left = {name: one.only(one.units[: sizes.get(name, 99)]) for name, one in splits.items()}
            if one_pair:
                left = {name: one.at(one.second < 24) for name, one in left.items()}
            return replace(data, **left, fingerprint=f"{kind} {one_pair} {sizes}")

    task = Cut()
    return prepare("emoji", task, KINDS[kind].backbone(), task.recipe, workspace)


@pytest.fixture(scope="module")
def run(make_workspace, quick_method):
    """The record of a method on a tiny task that was cut; all metrics, with the reference."""
    workspace = make_workspace()

    @cache
    def prepared(kind: str, one_pair: bool, sizes: frozenset[tuple[str, int]]) -> PreparedTask:
        return cut(kind, workspace, one_pair, dict(sizes))

    def make(
        kind: str,
        method: str = "finetune",
        forget: int = 4,
        one_pair: bool = False,
        shadows: int = 0,
        patience: int = 0,
        **sizes: int,
    ) -> RunResult:
        task = prepared(kind, one_pair, frozenset(sizes.items()))
        chosen = quick_method(method, **({"patience": patience} if patience else {}))
        spec = make_spec(task, method, chosen, forget, SEED)
        made = execute(Run(spec, chosen, "test", reference=True, shadows=shadows), task, "always")
        return made.result

    return make


def null(record: RunResult) -> set[str]:
    """The values that are missing; each must have its reason."""
    assert record.status == "done", record.reason
    names = {name for name, value in record.values.items() if value.value is None}
    explained = {line.partition(": ")[0] for line in record.missing}
    assert {name.partition("/")[0] for name in names} <= explained, (names, record.missing)
    return names


ENCODERS = {"unimodal_cka", "unimodal_probe"}
FEW = [
    *(("retrieval", items) for items in (1, 2, 3)),
    ("classification", 1),
    ("two images", 2),
    ("relations", 3),
]


@pytest.mark.parametrize(("kind", "items"), FEW)
def test_few_test_units_cost_only_what_cannot_be_measured(run, kind, items):
    record = run(kind, test=items)
    assert null(record) == ENCODERS
    assert record.values["test"].n > 0 and record.values["retrain_gap"].value is not None
    assert any(f"needs at least 4 test items, there are {items}" in line for line in record.missing)


@pytest.mark.parametrize("kind", KINDS)
def test_one_unit_of_one_pair_is_deleted(run, kind):
    assert null(run(kind, forget=1, one_pair=True)) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_everything_with_shadow_models(run, kind):
    record = run(kind, forget=1, one_pair=True, test=1, validation=1, shadows=2)
    paths = {f"klom/{path}" for path in record.histograms}  # they need more models, whatever the data
    assert null(record) == {*ENCODERS, "klom", *paths}
    assert record.values["u_lira"].value is not None


LEFT = [("retrieval", name) for name in ("finetune", "original", "retrain")]


@pytest.mark.parametrize(("kind", "method"), [*LEFT, *((kind, "mmul") for kind in KINDS)])
def test_one_unit_is_left(run, kind, method):
    record = run(kind, method, forget=1, train=2)
    if method == "mmul":
        why = "no two items of a retain set of one unit are unrelated"
        assert (record.status, record.reason) == ("not_applicable", why)
    else:
        assert null(record) == set()
        why = f"decoupling: no two items of the retain set are unrelated ({', '.join(record.histograms)})"
        assert record.missing == [why]


@pytest.mark.parametrize("kind", KINDS)
def test_without_validation_pairs_only_contrastive_losses_are_missing(run, kind):
    record = run(kind, validation=0)
    contrastive = "contrastive" in record.histograms
    assert contrastive is (kind == "retrieval")
    assert null(record) == ({"mia", "mi_ratio", "agreement", "retrain_gap"} if contrastive else set())
    assert ("mia/contrastive" in record.by_unit, "mia/matching" in record.by_unit) == (False, contrastive)
    assert ("mia/contrastive" in record.values, "mia/matching" in record.values) == (False, contrastive)


def test_shadow_models_without_validation_pairs(run):
    record = run("retrieval", forget=1, validation=0, shadows=2)
    assert record.status == "done" and "u_lira/matching" in record.values
    assert "u_lira/contrastive" not in record.values


def test_who_stops_by_validation_pairs_says_that_there_are_none(run, quick_method):
    record = run("retrieval", "finetune", validation=0, patience=1)
    assert record.status == "not_applicable"
    assert record.reason == "there are no pairs to measure the loss on, such as validation pairs"
