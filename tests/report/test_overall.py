"""Mean ranks of planted places, of which the right tests are known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from standings import line, standing

from mmulbench.report.overall import largest_tables, overall, overall_sentence


def ranked(tables):
    found = overall(tables)
    assert found is not None
    return found


def task(number, *gaps, ranks=None):
    """A table in which methods a, b, c … have these gaps."""
    ranks = ranks or range(1, len(gaps) + 1)
    places = zip("abcdefgh", gaps, ranks, strict=False)
    lines = [line(name, rank=rank, gap=gap) for name, gap, rank in places]
    return standing(*lines, task=f"task_{number}")


def test_the_critical_difference_is_nemenyis():
    # Demšar 2006, table 6 and section 3.2.2: 4 methods on 14 data sets, q = 2.569, CD = 1.25.
    tables = [task(f"{number:02}", 0.1, 0.2, 0.3, 0.4) for number in range(14)]
    found = ranked(tables)
    assert found.difference == pytest.approx(2.569 * math.sqrt(4 * 5 / (6 * 14)), abs=2e-3)
    assert [(one.method, one.mean) for one in found.methods] == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert found.is_told and found.p_value < 1e-6
    assert "mean ranks over 1.25 apart are different (Nemenyi, 5 %)" in overall_sentence(found)


def test_where_tasks_contradict_each_other_nothing_is_told():
    orders = [(0.1, 0.2, 0.3), (0.3, 0.1, 0.2), (0.2, 0.3, 0.1)] * 2
    found = ranked([task(number, *order) for number, order in enumerate(orders)])
    assert {one.mean for one in found.methods} == {2.0} and not found.is_told
    assert overall_sentence(found).endswith("so that no mean ranks can be told apart.")


def test_too_few_tasks_give_no_critical_difference():
    found = ranked([task(1, 0.1, 0.2, 0.3), task(2, 0.1, 0.3, 0.2)])
    assert (found.p_value, found.difference) == (None, None)
    assert overall_sentence(found) == (
        "No critical difference can be given: it takes 5 tasks, and there are 2."
    )
    assert overall([task(1, 0.1, 0.2)]) is None and overall([]) is None


def test_only_methods_that_all_tasks_have_are_compared():
    found = ranked([task(1, 0.1, 0.2, 0.3), task(2, 0.2, 0.1)])
    assert [(one.method, one.places) for one in found.methods] == [("a", (1, 2)), ("b", (2, 1))]


def test_rows_of_one_rank_share_their_mean_place():
    found = ranked([task(1, 0.1, 0.11, 0.3, ranks=(1, 1, 3)), task(2, 0.1, 0.2, 0.3)])
    assert {one.method: one.places[0] for one in found.methods} == {"a": 1.5, "b": 1.5, "c": 3}


def test_who_does_not_compete_comes_after_who_does_and_what_never_forgot_last():
    lines = [
        line("ranked", rank=1, gap=0.3),
        line("lost", "out", gap=0.01, out="test −9.0"),
        line("never", "unforgotten", gap=0.02),
        line("original", "unforgotten", gap=0.2),
        line("ranked, other", "variant", gap=0.001),
    ]
    found = ranked([standing(*lines, task=name) for name in "xy"])
    assert [(one.method, one.mean) for one in found.methods] == [("ranked", 1), ("lost", 2), ("never", 3)]


def test_of_a_task_the_table_counts_in_which_most_methods_compete():
    small = task(1, 0.1)
    large = replace(task(1, 0.2, 0.3), key=small.key._replace(backbone="clip:tiny"))
    assert largest_tables([small, large, task(2, 0.1)]) == [large, task(2, 0.1)]
