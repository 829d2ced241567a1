"""What README and docs say of other machines is what was measured."""

from __future__ import annotations

import importlib.util
import json

import pytest
from pages import README, ROOT, TEXTS

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


@pytest.mark.slow
def test_the_noise_beside_it_is_that_of_todays_records():
    spec = importlib.util.spec_from_file_location("machines", ROOT / "benchmarks" / "machines.py")
    assert spec is not None and spec.loader is not None
    machines = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(machines)
    assert {name: machines.noise_floor(name) for name in NAMES} == MEASURED["noise floor"]
