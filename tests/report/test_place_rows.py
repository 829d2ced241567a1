"""How planted methods stand, of which the right block, rank and verdict are known."""

from __future__ import annotations

import pytest
from planted_results import Planted, World

from mmulbench.records.schema import RunResult, ScoreHistogram, Value
from mmulbench.report.aggregate import group_records
from mmulbench.report.columns import choose_columns, part_columns
from mmulbench.report.noise_floor import GAP
from mmulbench.report.place_rows import judge_rows, standing_of
from mmulbench.report.standing import ShadowAttack

KNOWN = {"mia/matching": 0.3, "mia/contrastive": 0.3}
PLANTED = {
    "original": Planted({"forget": 0.4, **KNOWN}),
    "nothing": Planted({"forget": 0.4, **KNOWN}),
    "one_path": Planted({"mia/contrastive": 0.3}),
    "near": Planted(),
    "as_near": Planted(),
    "far": Planted({"forget": 0.5}),
    "broken": Planted({"retain": -0.2}),
}


def standing(records):
    (group,) = group_records(records, ["never_run"])
    found = [record for row in group.rows for record in row.done]
    columns = part_columns(choose_columns(["test", "mia", GAP], {}), found)
    return standing_of(group, columns, judge_rows(group, columns))


@pytest.fixture(scope="module")
def found():
    return standing(World(known=0.3).records(PLANTED))


def by_name(found):
    return {line.name: line for line in found.lines}


def test_methods_stand_by_what_is_true_of_them(found):
    blocks = {line.name: line.block for line in found.lines}
    assert blocks == {
        "retrain": "reference",
        "retrain′": "reference",
        "near": "ranked",
        "as_near": "ranked",
        "far": "ranked",
        "broken": "out",
        "one_path": "unforgotten",
        "original": "unforgotten",
        "nothing": "unforgotten",
    }
    assert [line.name for line in found.lines][:2] == ["retrain", "retrain′"]
    assert found.missing == ("never_run",)


def test_methods_that_cannot_be_told_apart_share_a_rank_and_others_have_none(found):
    ranks = {line.name: line.rank for line in found.lines if line.rank is not None}
    assert ranks == {"near": 1, "as_near": 1, "far": 3}


def test_lines_of_a_block_are_sorted_by_the_gap(found):
    for block in ("ranked", "unforgotten"):
        gaps = [line.gap for line in found.lines if line.block == block]
        assert gaps == sorted(gaps) and len(gaps) > 2


def test_only_the_best_in_competition_are_bold(found):
    assert {line.name for line in found.lines if GAP in line.best} == {"near", "as_near"}
    assert {line.block for line in found.lines if line.best} == {"ranked"}


def test_verdicts_are_over_seeds(found):
    lines = by_name(found)
    assert {lines[name].verdict for name in ("nothing", "one_path", "original")} == {"did not forget"}
    assert {lines[name].verdict for name in ("near", "far", "broken")} == {"forgot"}
    assert lines["one_path"].worst == "mia/contrastive"
    assert lines["broken"].out.startswith("retain −")


def test_a_measure_has_its_interval_and_retrains_value(found):
    line = by_name(found)["far"]
    gap, attack = line.measures[GAP], line.measures["mia/matching"]
    assert gap.n == 3 and gap.low < gap.mean < gap.high
    assert gap.high - gap.mean == pytest.approx(4.303 * gap.sd / 3**0.5, rel=1e-3)
    assert attack.difference == pytest.approx(attack.mean - attack.retrain)
    assert attack.distance >= abs(attack.difference)


def test_one_seed_has_no_interval_and_nothing_is_ranked():
    found = standing(World(seeds=(42,)).records({"near": Planted()}))
    gap = by_name(found)["near"].measures[GAP]
    assert (gap.n, gap.sd, gap.low, gap.high) == (1, None, None, None)
    assert "1 seed" in found.why_not
    assert by_name(found)["near"].rank is None


def test_other_settings_are_variants_with_short_names():
    world = World(known=0.3)
    records = world.records({"mmul": Planted(), "scrub": Planted()})
    own = [one for one in records if one.spec.method == "mmul"]
    tuned = [world.tuned(one, beta=1.0) for one in own]
    ablation = [world.tuned(one, beta=0.0).model_copy(update={"tuning": None}) for one in own]
    found = by_name(standing([*records, *tuned, *ablation]))
    assert {name: line.block for name, line in found.items() if line.method == "mmul"} == {
        "mmul (tuned)": "ranked",
        "mmul, default": "variant",
        "mmul, no UKR": "variant",
    }
    assert found["mmul, no UKR"].rank is None and not found["mmul, no UKR"].best


def without_numbers(record: RunResult, status: str) -> RunResult:
    gone = {"values": {}, "cost": None, "by_unit": {}, "histograms": {}}
    return record.model_copy(update={"status": status, "reason": f"it\n{status}", **gone})


def test_what_does_not_apply_is_no_line_and_what_failed_is_below_the_line():
    records = World(known=0.3).records({"near": Planted(), "never": Planted(), "broken": Planted()})
    status = {"never": "not_applicable", "broken": "failed"}
    records = [
        without_numbers(one, status[one.spec.method]) if one.spec.method in status else one for one in records
    ]
    found = standing(records)
    assert found.not_applicable == (("never", "it not_applicable"),)
    assert "never" not in by_name(found)
    line = by_name(found)["broken"]
    assert (line.block, line.verdict, line.absent) == ("no result", "failed", "failed")
    assert found.lines[-1] is line


def test_a_method_that_does_not_apply_is_named_once_whatever_its_settings():
    world = World(known=0.3)
    never = [without_numbers(one, "not_applicable") for one in world.records({"never": Planted()})]
    others = [world.tuned(one, weight=2.0) for one in never if one.spec.method == "never"]
    assert standing([*never, *others]).not_applicable.count(("never", "it not_applicable")) == 1


def test_settings_that_a_study_found_elsewhere_say_where():
    world = World(known=0.3)
    records = [world.tuned(one, beta=1.0) for one in world.records({"mmul": Planted()})]
    place = {"task": "flags", "backbone": "clip:mini"}
    moved = [
        one.model_copy(update={"tuning": one.tuning.model_copy(update=place)}) if one.tuning else one
        for one in records
    ]
    assert by_name(standing(records))["mmul (tuned)"].taken_from == ""
    assert by_name(standing(moved))["mmul (tuned)"].taken_from == "flags with clip:mini"


def with_original_auc(record: RunResult, auc: float) -> RunResult:
    """The record with scores of 60 forget and 60 unrelated pairs, of which the original orders so many."""
    scores = ScoreHistogram(edges=[0.0, 1.0], before={"forget": [60], "unrelated": [60]}, after={})
    value = Value(value=0.9, n=120, direction="closest_to_retrain", original=auc)
    return record.model_copy(
        update={
            "histograms": {"matching": scores},
            "values": {**record.values, "decoupling/matching/auc": value},
        }
    )


def test_paths_that_an_original_never_learned_are_named_with_its_seeds():
    records = World(known=0.3).records({"near": Planted()})
    seeds = sorted({one.spec.seed for one in records})
    assert standing(records).untaught == {}
    planted = [with_original_auc(one, 0.5 if one.spec.seed == seeds[0] else 0.9) for one in records]
    assert standing(planted).untaught == {"matching": (seeds[0],)}


def test_a_line_has_what_shadow_models_tell():
    records = World(seeds=(42,)).records({"near": Planted(), "far": Planted()})
    attack = {
        f"u_lira/matching/{part}": Value(value=auc, n=64, direction="closest_to_retrain")
        for part, auc in (("forget", 0.7), ("test", 0.6))
    }
    attacked = [
        one.model_copy(update={"values": one.values | attack, "shadows": 15})
        if one.spec.method == "near"
        else one
        for one in records
    ]
    lines = by_name(standing(attacked))
    assert lines["near"].shadows == ShadowAttack("matching", 15, (42,), 0.7, None, None, 0.6)
    assert lines["far"].shadows is None
