"""What docs and tasks say of what is worth forgetting is what was measured."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from pages import ROOT, TEXTS

from mmulbench.core.registry import TASKS
from mmulbench.sweeps.grid import given_grid

MEASURED = json.loads((ROOT / "benchmarks" / "worth_forgetting.json").read_text(encoding="utf-8"))["tasks"]
DEMONSTRATION = "is a small demonstration"
ATTACK, UNITS = 0.65, 60
"""AUC of the attack on the original, and number of forget units, from which on a task is worth forgetting."""


def number(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1)


def sides(found: dict[str, float]) -> str:
    return f"{number(found['original'])} / {number(found['retrain'])}"


def line(task: str, row: dict[str, Any]) -> str:
    units = f"{row['forget units']} of {row['training units']:,}"
    cells = [sides(row[what]) for what in ("attack", "test", "retain", "forget")]
    return f"| `{task}` | {units} | {row['path']} | {' | '.join(cells)} | {number(row['chance'])} |"


def table() -> str:
    columns = ["Task", "Units", "Path", "Attack", "Test", "Retain", "Forget", "Chance"]
    lines = [f"| {' | '.join(columns)} |", "|---|---:|---|" + "---:|" * (len(columns) - 3)]
    return "\n".join([*lines, *(line(task, row) for task, rows in MEASURED.items() for row in rows)])


def demonstrates_only(task: str) -> bool:
    return DEMONSTRATION in " ".join(inspect.getdoc(TASKS.get(task)).split())


def test_the_table_is_what_was_measured():
    assert table() in TEXTS["docs/data.md"], "\n" + table()


@pytest.mark.parametrize("task", MEASURED)
def test_a_task_is_worth_forgetting_or_says_that_it_is_not(task):
    own = MEASURED[task][0]
    worth = own["attack"]["original"] >= ATTACK and own["forget units"] >= UNITS
    assert worth != demonstrates_only(task), own


@pytest.mark.parametrize("task", MEASURED)
def test_it_was_measured_on_todays_sizes(task):
    info = TASKS.get(task).info
    own, fraction = MEASURED[task][0], TASKS.get(task).forget_fraction
    assert own["training units"] == info.sizes["train"][0]
    assert own["forget units"] == round(fraction * own["training units"])


def test_a_demonstration_has_no_records():
    files = (ROOT / "results").glob("*.yaml")
    names = {job.task for path in files for job in given_grid(path, {}).jobs()}
    assert names and not [name for name in names if demonstrates_only(name)]
