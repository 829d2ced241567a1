"""What README and docs say of other machines is what was measured."""

from __future__ import annotations

import csv
import importlib.util
import json
import statistics

import pytest
from pages import README, ROOT, TEXTS
from scipy.stats import kendalltau

MEASURED = json.loads((ROOT / "benchmarks" / "machines.json").read_text(encoding="utf-8"))
NAMES = (
    "test",
    "retain",
    "forget",
    "mia/classification",
    "forget_vs_retain_auc/classification",
    "retrain_gap",
)
WIDTH_OF_SIX = 2.534 / 1.128
"""Expected range of six draws from a normal distribution, by the expected distance of two."""


def number(value: float) -> str:
    return f"{value:.3f}"


def six_retrains(name: str) -> str:
    return number(MEASURED["noise floor"][name] * WIDTH_OF_SIX)


def table() -> str:
    lines = ["| Value | Range, median | Range, most | Six retrains' range |", "|---|---:|---:|---:|"]
    for name in NAMES:
        move = MEASURED["moves"][name]
        moved = f"{number(move['median'])} | {number(move['largest'])}"
        lines.append(f"| `{name}` | {moved} | {six_retrains(name)} |")
    return "\n".join(lines)


def test_the_table_is_what_was_measured():
    assert set(MEASURED["moves"]) == set(NAMES)
    assert len(MEASURED["environments"]) == 6
    assert table() in TEXTS["docs/records.md"], table()


def test_the_readme_says_how_far_the_gap_moves():
    move = MEASURED["moves"]["retrain_gap"]
    sentence = (
        f"in six environments the gap of one run on hpo_pgr ranged over {number(move['median'])} "
        f"(at most {number(move['largest'])}), where six retrains would range over "
        f"{six_retrains('retrain_gap')}"
    )
    assert sentence in " ".join(README.split()), sentence


def rows_of_pgr(version: str) -> dict[str, dict[str, str]]:
    """Rows by which methods compete, of a published version."""
    path = ROOT / "results" / version / "leaderboard.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["task"] == "pgr"]
    blocks = ("ranked", "out", "unforgotten")
    return {row["name"]: row for row in rows if row["block"] in blocks and row["method"] != "original"}


def twice_made() -> str:
    """Say how far the table of pgr moved when all its runs were made anew on another processor."""
    old, new = rows_of_pgr("v2"), rows_of_pgr("v3")
    assert set(old) == set(new)
    before, after = ([float(rows[name]["gap"]) for name in old] for rows in (old, new))
    moves = [abs(one - other) for one, other in zip(before, after, strict=True)]
    verdicts = sum(old[name]["verdict"] == new[name]["verdict"] for name in old)
    blocks = sum(old[name]["block"] == new[name]["block"] for name in old)
    first = [{name for name in rows if rows[name]["rank"] == "1"} for rows in (old, new)]
    return (
        f"Of {len(old)} methods the mean gap over five seeds moved by {number(statistics.median(moves))} "
        f"(median) and {number(max(moves))} (most); Kendall's τ of the gaps is "
        f"{kendalltau(before, after).statistic:.2f}. {verdicts} have the same verdict in as many seeds, and "
        f"{blocks} stand in the same part of the table. Of rank 1 were {len(first[0])} and are "
        f"{len(first[1])}, {len(first[0] & first[1])} of them the same."
    )


def test_how_far_a_whole_table_moved_is_what_two_versions_say():
    assert twice_made() in " ".join(TEXTS["docs/records.md"].split()), twice_made()


@pytest.mark.slow
def test_the_noise_beside_it_is_that_of_todays_records():
    spec = importlib.util.spec_from_file_location("machines", ROOT / "benchmarks" / "machines.py")
    assert spec is not None and spec.loader is not None
    machines = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(machines)
    assert {name: machines.noise_floor(name) for name in NAMES} == MEASURED["noise floor"]
