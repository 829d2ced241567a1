"""Metrics, verdict and ranking say the truth of planted models, and broken ones are found out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmulbench.core.metric import HEADLINE
from mmulbench.metrics import membership
from mmulbench.metrics.catalogue.mia import Mia
from mmulbench.metrics.catalogue.u_lira import ULira
from mmulbench.progress import Progress
from mmulbench.selftest import judged, trial
from mmulbench.selftest.expectations import RANKS, ROWS, VERDICTS
from mmulbench.selftest.planted import PLANTED, SEEDS
from mmulbench.selftest.trial import RANK, VERDICT, try_metrics

WITH_SHADOWS = ("perfect_retrain", "untouched", "shifted", "lost_utility")
"""Planted models that an attack without its control tells apart from others: the last two, and no other."""


@pytest.fixture(scope="module")
def statements():
    return try_metrics(Progress())


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_what_is_said_is_true(statements, planted):
    of_planted = [one for one in statements if one.planted == planted.name]
    assert len(of_planted) == len(ROWS) + sum(planted.name in of for of in (VERDICTS, *RANKS.values())) + 1
    assert [one for one in of_planted if not one.holds] == []


def number(statements, planted, measure):
    (found,) = (float(one.found) for one in statements if (one.planted, one.measure) == (planted, measure))
    return found


def test_as_far_on_either_side_is_as_far_from_retrain(statements):
    for path in ("contrastive", "matching"):
        known, over = (
            number(statements, planted, f"mia/{path} - retrain")
            for planted in ("still_known", "over_forgotten")
        )
        assert known > 0.1
        assert over == pytest.approx(-known, abs=0.02)
    known, over = (number(statements, one, "retrain_gap") for one in ("still_known", "over_forgotten"))
    assert over == pytest.approx(known, abs=0.02)


def test_verdict_and_ranking_are_among_what_is_said(statements):
    verdicts = {one.planted: one.found for one in statements if one.measure == VERDICT}
    assert set(verdicts) == set(VERDICTS)
    assert {**verdicts, "tenth_memorised": ""} == {**VERDICTS, "tenth_memorised": ""}
    utilities = {one.planted for one in statements if one.found == "lost"}
    assert utilities == {"random", "lost_utility"}
    ranks = {one.planted for one in statements if one.measure == f"{RANK}retrain_gap"}
    assert ranks == {planted.name for planted in PLANTED}


def wrong_with(monkeypatch, *, shadows=False):
    """What is wrong by one seed: values alone, since nothing is ranked by so few.

    Shadow models take most of the time, and what runs say hangs on none: they are of four models.
    """
    monkeypatch.setattr(judged, "SEEDS", SEEDS[:1])
    if shadows:
        for module in (judged, trial):
            monkeypatch.setattr(module, "PLANTED", tuple(one for one in PLANTED if one.name in WITH_SHADOWS))
    else:
        monkeypatch.setattr(judged, "_of_shadows", lambda planted: {})
    return {
        (one.planted, one.measure)
        for one in try_metrics(Progress())
        if not one.holds and not one.measure.startswith(RANK)
    }


def test_members_taken_for_others_are_found_out(monkeypatch):
    attack = membership.loss_attack

    def swapped(forget, forget_units, test, test_units, seed):
        return attack(test, test_units, forget, forget_units, seed)

    monkeypatch.setattr(membership, "loss_attack", swapped)
    wrong = wrong_with(monkeypatch)
    for path in ("contrastive", "matching"):
        assert {(planted, f"mia/{path} - retrain") for planted in ("untouched", "over_forgotten")} <= wrong
    assert {("untouched", VERDICT), ("over_forgotten", VERDICT)} <= wrong


def test_an_attack_without_its_control_is_found_out(monkeypatch):
    compute = ULira.compute

    def uncontrolled(self, population):
        found = compute(self, population)
        return {**found, HEADLINE: found["forget"]}

    monkeypatch.setattr(ULira, "compute", uncontrolled)
    assert {one for one in wrong_with(monkeypatch, shadows=True) if one[1].startswith("u_lira")} == {
        (planted, f"u_lira/{path}")
        for planted in ("shifted", "lost_utility")
        for path in ("contrastive", "matching")
    }


def test_an_attack_with_one_side_is_found_out(monkeypatch):
    compute = Mia.compute

    def accuracy(self, observation):
        found = compute(self, observation)
        return {**found, HEADLINE: replace(found[HEADLINE], value=found["accuracy"].value)}

    monkeypatch.setattr(Mia, "compute", accuracy)
    wrong = wrong_with(monkeypatch)
    assert {("over_forgotten", "mia/contrastive - retrain"), ("over_forgotten", VERDICT)} <= wrong
