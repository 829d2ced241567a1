"""The page on what numbers mean explains them all, and shows the truth table that the self-test checks."""

from __future__ import annotations

import re

import pytest
from pages import TEXTS

from mmulbench.metrics.catalogue import ORDER
from mmulbench.records.schema import Cost, Value
from mmulbench.selftest.expectations import ROWS
from mmulbench.selftest.planted import PLANTED
from mmulbench.selftest.row import Row

PAGE = TEXTS["docs/concepts/numbers.md"]


def word(row: Row, planted: str) -> str:
    (least, most), (low, high) = row.usual, row.expected(planted)
    if low >= most:
        return "above"
    if high <= least:
        return "below"
    return "any" if (low, high) != (least, most) and low <= least and high >= most else "–"


def truth_table() -> str:
    names = [one.name for one in PLANTED]
    lines = [f"| | {' | '.join(f'`{name}`' for name in names)} |", "|---|" + "---|" * len(names)]
    lines += [f"| `{row.value}` | {' | '.join(word(row, name) for name in names)} |" for row in ROWS]
    return "\n".join(lines)


def test_the_truth_table_is_that_of_the_self_test():
    assert truth_table() in PAGE, truth_table()


@pytest.mark.parametrize("name", ORDER)
def test_every_number_has_a_sentence_of_its_own(name):
    explained = PAGE.partition("## Around each number")[2].partition("## What each can see")[0]
    assert re.search(rf"^`{name}`", explained, re.M)


def test_fields_of_values_and_costs_are_explained():
    fields = {*Value.model_fields, "seconds", "flops", "peak_memory_mb", "seconds_ratio", "flops_ratio"}
    assert fields <= set(Value.model_fields) | set(Cost.model_fields)
    assert {name for name in fields if f"`{name}`" not in PAGE} == set()


def test_planted_models_are_described():
    text = PAGE.partition("## What each can see")[2].partition("```sh")[0]
    listed = "".join(re.findall(r"^(?:- |  ).*$", text, re.M))
    assert {one.name for one in PLANTED if f"`{one.name}`" not in listed} == set()
