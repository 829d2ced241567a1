"""Planted models are judged by what real runs are judged by."""

from __future__ import annotations

import pytest

from mmulbench.core.registry import METRICS
from mmulbench.errors import MmulbenchError
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult, Value
from mmulbench.selftest import judged
from mmulbench.selftest.judged import Judged, judge, ranked_keys
from mmulbench.selftest.planted import PLANTED, SEEDS

FEW = tuple(one for one in PLANTED if one.name in ("perfect_retrain", "untouched"))


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judged, "PLANTED", FEW)
        yield judge(Progress())


def test_every_seed_has_a_record_of_every_model_and_reference(found):
    methods = ["retrain", "original", *["retrain_again"] * len(judged.DRAWS), *(one.name for one in FEW)]
    assert [(one.spec.seed, one.spec.method) for one in found.records] == [
        (seed, method) for seed in SEEDS for method in methods
    ]
    assert len({one.run_id for one in found.records}) == len(found.records)
    assert all(RunResult.model_validate_json(one.model_dump_json()) == one for one in found.records)


def test_a_number_is_the_mean_over_seeds(found):
    values = [one.values["mia/matching"] for one in found.records if one.spec.method == "untouched"]
    own, beside = (
        sum(v.value - r for v, r in zip(values, of, strict=True)) / 3
        for of in (
            [0.0] * 3,
            [value.retrain for value in values],
        )
    )
    assert found.number("untouched", "mia/matching") == pytest.approx(own)
    assert found.number("untouched", "mia/matching", beside_retrain=True) == pytest.approx(beside)
    assert found.number("untouched", "u_lira/matching") == found.others["untouched"]["u_lira/matching"].value


def test_what_cannot_be_computed_has_no_number():
    none = Judged((), {"shifted": {"klom": Value(value=None, n=1, direction="lower")}})
    assert none.number("shifted", "klom") is None
    assert none.number("shifted", "nothing") is None


def test_verdict_and_rank(found):
    assert found.verdict("perfect_retrain") == ("forgot", "kept")
    assert found.verdict("untouched") == ("did not forget (contrastive, matching)", "kept")
    assert [found.rank("untouched", key) for key in ranked_keys()] == ["worse"] * len(ranked_keys())
    assert found.rank("perfect_retrain", "retrain_gap") == "best"


def test_without_noise_floor_nothing_is_ranked(found):
    bare = Judged(tuple(one for one in found.records if one.spec.method != "retrain_again"), found.others)
    assert bare.rank("untouched", "retrain_gap").startswith("nothing is ranked: the noise floor takes ")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mia", "metric mia fails on the planted model original: ZeroDivisionError: broken"),
        ("lira", "a metric of shadow models fails on the planted model perfect_retrain: ZeroDivisionError"),
    ],
)
def test_a_metric_that_fails_is_named(monkeypatch, name, said):
    def fail(*_):
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(judged, "PLANTED", FEW)
    monkeypatch.setattr(judged, "SEEDS", SEEDS[:1])
    monkeypatch.setattr(METRICS.get(name), "compute", fail)
    with pytest.raises(MmulbenchError, match=said):
        judge(Progress())
