"""A committed record, as it is and as if its original had never learned a path."""

from __future__ import annotations

import pytest
from forged import forged

from mmulbench.metrics.untaught import LEARNED
from mmulbench.report.untaught import untaught_in
from mmulbench.report.verdict import verdict

PLACE = "values.decoupling/matching/auc.original"
COUNTS = forged({}).histograms["matching"].before


def test_the_original_of_a_published_record_learned_its_paths():
    assert list(untaught_in(forged({}))) == []
    assert "Mind that" not in verdict(forged({}))


@pytest.mark.parametrize(("above", "is_named"), [(0.0, True), (0.001, False)])
def test_a_path_with_more_than_the_limit_is_not_named(above, is_named):
    found = list(untaught_in(forged({PLACE: LEARNED + above})))
    assert [one.path for one in found] == ["matching"] * is_named


def test_of_few_pairs_nothing_is_said():
    few = {"forget": [3, *[0] * (len(COUNTS["forget"]) - 1)]}
    few["unrelated"] = few["forget"]
    assert list(untaught_in(forged({PLACE: 0.5, "histograms.matching.before": few}))) == []


def test_of_few_units_the_verdict_says_nothing_since_it_judges_nothing():
    said = {units: verdict(forged({PLACE: 0.5, "spec.forget_size": units})) for units in (49, 50)}
    assert "Mind that" not in said[49] and "Mind that" in said[50]


def test_the_verdict_says_that_such_a_path_says_nothing():
    sentence = verdict(forged({PLACE: 0.5}))
    assert sentence.endswith(
        " Mind that the original learned next to nothing on its matching path: it tells the forget set's "
        "pairs from unrelated ones with AUC 0.50, and above 0.60 counts as learned: what is said of that "
        "path says nothing of forgetting."
    )


@pytest.mark.parametrize(
    "without",
    [
        {"values.decoupling/matching/auc.original": None},
        {"histograms.matching.before": {"forget": COUNTS["forget"]}},
        {"histograms.matching.before": {**COUNTS, "unrelated": [0] * len(COUNTS["unrelated"])}},
    ],
)
def test_nothing_is_said_where_nothing_is_known(without):
    assert list(untaught_in(forged(without))) == []
