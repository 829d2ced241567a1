"""The table that ends a command with several runs: sorted by gap, with retrain and the original beside."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from mmulbench.report.comparison import comparison_table


def rows_of(records, width=200):
    out = StringIO()
    Console(file=out, width=width).print(comparison_table(records))
    lines = [line.split() for line in out.getvalue().splitlines()]
    start = next(place for place, line in enumerate(lines) if "Method" in line)
    title = " ".join(word for line in lines[:start] for word in line)
    return title, {line[0]: line[1:] for line in lines[start + 1 :] if line and line[0][0] != "─"}


def measured(gap, test=0.5):
    return {
        "retrain_gap": {"value": gap, "retrain": 0.0, "original": 0.3},
        "test": {"value": test, "retrain": 0.6, "original": 0.7},
        "mia": {"value": 0.8, "retrain": 0.5, "original": 0.9},
        "mia/matching": {"value": 0.8, "retrain": 0.5, "original": 0.9},
        "mia/contrastive": {"value": 0.4, "retrain": 0.45, "original": 0.95},
    }


def test_methods_come_by_their_gap_between_retrain_and_the_original(record):
    records = [
        record(name, values=measured(gap)) for name, gap in (("scrub", 0.4), ("a", 0.0), ("mmul", 0.1))
    ]
    title, rows = rows_of(records)
    assert list(rows) == ["retrain", "a", "mmul", "original", "scrub"]
    assert rows["retrain"] == ["0.000", "0.600", "0.450", "0.500", "1.000"]
    assert rows["mmul"] == ["0.100", "0.500", "0.400", "0.800", "0.040"]
    assert rows["original"] == ["0.300", "0.700", "0.950", "0.900", "–"]
    assert title.startswith("emoji, albef:packaged, forget size 70, seed 42")


def test_several_seeds_are_a_mean_with_its_deviation(record):
    records = [record("mmul", seed=1, values=measured(0.1)), record("mmul", seed=2, values=measured(0.3))]
    title, rows = rows_of(records)
    assert rows["mmul"][:2] == ["0.200", "±.141"]
    assert rows["retrain"][:2] == ["0.000", "±.000"]
    assert "seeds 1, 2, mean ± standard deviation over seeds" in title


def test_runs_without_numbers_come_last_and_say_why(record):
    records = [
        record("mmul", values=measured(0.1)),
        record("scrub", status="diverged", reason="nan", seconds=None),
        record("unsir", status="not_applicable", reason="no classes", seconds=None),
        record("mmul", seed=7, status="failed", reason="no room", seconds=None),
    ]
    _, rows = rows_of(records)
    assert list(rows) == ["retrain", "mmul", "original", "scrub", "unsir"]
    assert rows["scrub"][-1] == "diverged"
    assert rows["unsir"][-1] == "N/A"
    assert " ".join(rows["mmul"]).endswith("failed: seed 7")


def test_references_that_were_run_have_one_line_each(record):
    reference = {name: {**value, "value": value["retrain"]} for name, value in measured(0.0).items()}
    untouched = {name: {**value, "value": value["original"]} for name, value in measured(0.0).items()}
    records = [
        record("original", values=untouched, ratio=0.0),
        record("retrain", values=reference, ratio=1.0),
        record("mmul", values=measured(0.2)),
    ]
    _, rows = rows_of(records)
    assert list(rows) == ["retrain", "mmul", "original"]
    assert rows["original"] == ["0.300", "0.700", "0.950", "0.900", "0.000"]


def test_without_a_reference_there_is_no_gap_and_no_retrain(record):
    values = {"test": {"value": 0.5, "original": 0.7}, "retrain_gap": {"value": None}}
    _, rows = rows_of([record("mmul", values=values, ratio=None), record("scrub", values=values, ratio=None)])
    assert list(rows) == ["mmul", "original", "scrub"]
    assert rows["mmul"] == ["0.500", "–"]


@pytest.mark.parametrize("width", [120, 80, 50, 30])
def test_what_is_left_on_a_narrow_terminal_is_whole(record, width):
    records = [record(name, seed=seed, values=measured(0.1)) for name in ("mmul", "scrub") for seed in (1, 2)]
    out = StringIO()
    Console(file=out, width=width).print(comparison_table(records))
    assert "…" not in out.getvalue()
    assert "0.100 ±.000" in out.getvalue()
    assert ("No room for" in out.getvalue()) == (width < 80)


def test_all_runs_may_have_failed(record):
    records = [record(name, status="failed", reason="no room", seconds=None) for name in ("mmul", "scrub")]
    _, rows = rows_of(records)
    assert rows == {"mmul": ["–", "failed"], "scrub": ["–", "failed"]}
