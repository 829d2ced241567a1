"""The committed records and the leaderboard made from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmulbench.registry import METHODS
from mmulbench.report import leaderboard
from mmulbench.results import RunResult
from mmulbench.store import ResultsStore

ROOT = Path(__file__).resolve().parent.parent
SEEDS = {42, 87, 21}
METHOD_NAMES = ("original", "retrain", "finetune", "gradient_ascent", "scrub", "mmul")


@pytest.fixture(scope="module")
def records() -> list[RunResult]:
    found, unreadable = ResultsStore(ROOT / "results").load_all("emoji")
    assert not unreadable
    return [
        record for record in found if record.spec.forget_size == 68 and not record.spec.task_config["limit"]
    ]


def test_every_method_has_a_complete_record_for_every_seed(records):
    made = {(record.spec.method, record.spec.seed) for record in records if not record.missing}
    assert made >= {(method, seed) for method in METHOD_NAMES for seed in SEEDS}
    assert {record.status for record in records} == {"done"}


def test_records_come_from_committed_code_and_one_data_fingerprint(records):
    assert all(re.fullmatch(r"[0-9a-f]{40}", record.environment.git_commit or "") for record in records)
    assert len({record.spec.data_fingerprint for record in records}) == 1


@pytest.mark.parametrize("seed", sorted(SEEDS))
def test_the_original_has_learnt_something_and_has_something_to_forget(records, seed):
    original = next(r for r in records if r.spec.method == "original" and r.spec.seed == seed)
    for direction in ("i2t", "t2i"):
        recall = original.values[f"test/{direction}_r@10"]
        assert recall.value is not None and recall.chance is not None
        assert recall.value >= 0.50 > 3 * recall.chance
    attacks = [original.values[f"mia/{path}/auc"].value for path in ("contrastive", "matching")]
    assert max(auc or 0.0 for auc in attacks) >= 0.70


def test_known_answers_hold_in_the_records(records):
    for record in records:
        gap = record.values["retrain_gap"]
        assert gap.retrain == 0.0
        if record.spec.method == "retrain":
            assert gap.value == 0.0
            assert record.cost is not None and record.cost.seconds_ratio == 1.0
        if record.spec.method == "original":
            assert record.values["mi_ratio"].value == 1.0
            for path in ("contrastive", "matching"):
                value = record.values[f"forget_vs_retain_auc/{path}"].value
                assert value is not None and abs(value - 0.5) < 0.1
                attack = record.values[f"mia/{path}/auc"]
                assert attack.value is not None and attack.retrain is not None
                assert attack.value > attack.retrain


def test_the_leaderboard_is_made_from_the_records():
    found, unreadable = ResultsStore(ROOT / "results").load_all()
    text = leaderboard.render(
        found,
        unreadable,
        None,
        "mmulbench leaderboard",
        expected_methods=METHODS.names(),
        results=Path("results"),
    )
    assert leaderboard.check(ROOT / "leaderboard.md", text)
