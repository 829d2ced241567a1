from __future__ import annotations

import numpy as np
import pytest

from mmulbench.errors import Diverged
from mmulbench.metrics.utility import chance_recall_at, first_hit_ranks, recall_at, retrieval_utility


def naive_rank(scores, relevant):
    best = max(score for score, right in zip(scores, relevant, strict=True) if right)
    return sum(score >= best for score, right in zip(scores, relevant, strict=True) if not right)


def test_ranks_match_a_naive_loop_with_ties():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, (40, 15)).astype(np.float32)
    relevant = rng.random((40, 15)) < 0.2
    relevant[:, 3] = True
    expected = [naive_rank(s, r) for s, r in zip(scores, relevant, strict=True)]
    assert first_hit_ranks(scores, relevant).tolist() == expected


def test_perfect_scores_rank_first_and_constant_scores_last():
    relevant = np.repeat(np.eye(4, dtype=bool), 5, axis=1)
    assert first_hit_ranks(relevant.astype(float), relevant).tolist() == [0, 0, 0, 0]
    assert first_hit_ranks(np.full((4, 20), 0.7), relevant).tolist() == [15, 15, 15, 15]


def test_answers_left_out_of_a_re_ranking_rank_last():
    scores = np.array([[0.5, -np.inf, -np.inf], [0.5, 0.9, -np.inf]])
    relevant = np.array([[False, True, False], [False, True, False]])
    assert first_hit_ranks(scores, relevant).tolist() == [2, 0]


def test_queries_that_cannot_be_ranked_are_refused():
    relevant = np.array([[True, False], [False, False]])
    with pytest.raises(ValueError, match=r"1 of 2 queries.*row 1"):
        first_hit_ranks(np.zeros((2, 2)), relevant)
    with pytest.raises(ValueError, match="both be"):
        first_hit_ranks(np.zeros((2, 3)), relevant)
    with pytest.raises(Diverged, match="NaN"):
        first_hit_ranks(np.array([[np.nan, 0.0]]), np.array([[True, False]]))


def test_recall_counts_ranks_below_k():
    ranks = np.array([0, 1, 4, 5, 9, 10])
    assert [recall_at(ranks, k) for k in (1, 5, 10)] == [1 / 6, 3 / 6, 5 / 6]
    with pytest.raises(ValueError, match="empty"):
        recall_at(np.array([], dtype=int), 1)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_random_scores_reach_the_chance_level(k):
    rng = np.random.default_rng(1)
    queries, gallery = 4000, 50
    counts = rng.integers(1, 6, queries)
    relevant = np.arange(gallery) < counts[:, None]
    measured = recall_at(first_hit_ranks(rng.random((queries, gallery)), relevant), k)
    assert measured == pytest.approx(chance_recall_at(gallery, counts, k), abs=4 * 0.5 / np.sqrt(queries))


def test_chance_known_values():
    one = np.array([1, 1])
    assert chance_recall_at(20, one, 5) == pytest.approx(5 / 20)
    assert chance_recall_at(4, np.array([2]), 2) == pytest.approx(1 - (2 / 4) * (1 / 3))
    assert chance_recall_at(3, one, 10) == 1
    with pytest.raises(ValueError, match="between 1 and 3"):
        chance_recall_at(3, np.array([1, 4]), 1)


def utility():
    return retrieval_utility(
        np.array([0, 7]),
        np.array([0, 0, 3, 20]),
        first_relevant_counts=np.array([2, 2]),
        second_relevant_counts=np.array([1, 1, 1, 1]),
        first_gallery=25,
        second_gallery=50,
    )


def test_utility_averages_both_directions_and_names_them():
    found = utility()
    named = found.named("image", "text")
    assert {name: recall.value for name, recall in named.items()} == {
        "i2t_r@1": 0.5,
        "i2t_r@5": 0.5,
        "i2t_r@10": 1.0,
        "t2i_r@1": 0.5,
        "t2i_r@5": 0.75,
        "t2i_r@10": 0.75,
    }
    assert found.mean_recall == pytest.approx(4.0 / 6)
    assert named["i2t_r@1"].chance == pytest.approx(2 / 50)
    assert named["t2i_r@5"].chance == pytest.approx(5 / 25)
    assert found.chance == pytest.approx(np.mean([recall.chance for recall in named.values()]))
    assert (named["i2t_r@1"].n, named["t2i_r@1"].n, found.n) == (2, 4, 6)


def test_modalities_with_one_initial_keep_both_directions():
    assert list(utility().named("text", "table"))[::3] == ["text2table_r@1", "table2text_r@1"]


def test_ranks_and_counts_must_belong_together():
    with pytest.raises(ValueError, match="2 ranks but 1"):
        retrieval_utility(
            np.array([0, 1]),
            np.array([0]),
            first_relevant_counts=np.array([1]),
            second_relevant_counts=np.array([1]),
            first_gallery=5,
            second_gallery=5,
        )
