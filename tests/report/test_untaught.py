"""A committed record, as it is and as if its original had never learned a path."""

from __future__ import annotations

import pytest
from forged import forged

from mmulbench.metrics.untaught import most_by_chance
from mmulbench.report.untaught import untaught_in
from mmulbench.report.verdict import verdict

PLACE = "values.decoupling/matching/auc.original"
COUNTS = forged({}).histograms["matching"].before["forget"]
PAIRS = sum(COUNTS)


def test_the_original_of_a_published_record_learned_its_paths():
    assert list(untaught_in(forged({}))) == []
    assert "Mind that" not in verdict(forged({}))


@pytest.mark.parametrize(("above", "is_named"), [(0.0, True), (0.001, False)])
def test_the_limit_is_that_of_the_pairs_there_are(above, is_named):
    limit = most_by_chance(PAIRS, PAIRS)
    found = list(untaught_in(forged({PLACE: limit + above})))
    assert [(one.path, one.limit) for one in found] == [("matching", limit)] * is_named


def test_the_verdict_says_that_such_a_path_says_nothing():
    sentence = verdict(forged({PLACE: 0.5}))
    assert sentence.endswith(
        " Mind that nothing shows that the original learned its matching path: it tells the forget set's "
        "pairs from unrelated ones with AUC 0.50, and chance reaches 0.53: what is said of that path says "
        "nothing of forgetting."
    )


@pytest.mark.parametrize(
    "without",
    [
        {"values.decoupling/matching/auc.original": None},
        {"histograms.matching.before": {"forget": COUNTS}},
    ],
)
def test_nothing_is_said_where_nothing_is_known(without):
    assert list(untaught_in(forged(without))) == []
