"""README's first screen says which method to use and what it costs, as the leaderboard answers it."""

from __future__ import annotations

import textwrap

import pytest
from pages import README, ROOT

from mmulbench.api.tables import Wanted, read_tables
from mmulbench.report.answer import answer
from mmulbench.report.overall import largest_tables
from mmulbench.report.standing import Standing

TABLES = largest_tables(one.standing for one in read_tables(Wanted(ROOT / "results")).texts)


def said(standing: Standing) -> str:
    """Return the item of README's list: which method to use, and what it costs."""
    first, *more = answer(standing)
    cost = next(sentence for sentence in more if sentence.startswith("It costs"))
    return f"- `{standing.key.task}`: {first.partition(';')[0].rstrip('.')}. {cost}"


@pytest.mark.parametrize("standing", TABLES, ids=lambda one: one.key.task)
def test_the_readme_answers_as_the_leaderboard_does(standing):
    expected = said(standing)
    assert expected in " ".join(README.split()), textwrap.fill(expected, 80, subsequent_indent="  ")


def test_the_answers_are_on_the_first_screen():
    start = README.index(f"- `{TABLES[0].key.task}`:")
    assert start < README.index("## Set up")
