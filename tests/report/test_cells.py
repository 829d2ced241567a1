"""Cells of the tables."""

from __future__ import annotations

from typing import Any

import pytest
from tables_of_text import only_table, run

from mmulbench.records.schema import Tuning
from mmulbench.report import leaderboard
from mmulbench.report.aggregate import group_records
from mmulbench.report.cells import code, escape, value_cell
from mmulbench.report.columns import Column


def test_test_utility_stands_beside_retrains_in_points(record):
    column = Column("test", "Test utility", "not_below_retrain")
    (row,) = group_records([record(values={"test": {"value": 0.5, "retrain": 0.534}})])[0].rows
    assert value_cell(row, column, best=False) == "0.500 (−3.4)"


def test_says_which_settings_are_tuned_where_and_with_how_many_trials(record):
    def tuned(task: str = "emoji", **fields: Any) -> Tuning:
        study: dict[str, Any] = {
            "study_id": "0" * 12,
            "backbone": "albef:packaged",
            "forget_size": 70,
            "budget": 0.5,
            "trials": 20,
            "done": 12,
            "do_nothing": 0.2,
            "objective": 0.1,
        }
        return Tuning(task=task, **(study | fields))

    records = [
        *run(record, "retrain", test=0.5),
        *run(record, "here", test=0.5, tuning=tuned()),
        *run(record, "elsewhere", test=0.5, tuning=tuned("flags")),
        *run(record, "other", test=0.5, tuning=tuned().model_copy(update={"backbone": "clip:mini"})),
        *run(record, "untuned", test=0.5),
        *run(record, "kept", test=0.5, tuning=tuned(kept_default=True)),
        *run(record, "none_done", test=0.5, tuning=tuned(done=0, found=False, objective=None)),
        *run(record, "no_use", test=0.5, tuning=tuned(objective=0.2)),
        *run(record, "dear", test=0.5, tuning=tuned(trials=0, done=0, found=False, reason="1 epoch is 60 %")),
        *run(record, "half", test=0.5, tuning=tuned(overridden=("batch_size", "l|r"))),
        *run(record, "chosen", test=0.5, command="mmulbench run -m chosen -t emoji --set lr=1 --untuned"),
        *run(record, "mixed", test=0.5, seeds=(42,), tuning=tuned()),
        *run(record, "mixed", test=0.5, seeds=(87,), tuning=tuned(done=20)),
    ]
    table = only_table(leaderboard.render(records, []))
    assert {name: row["Tuned"] for name, row in table.items()} == {
        "retrain": "",
        "here": "12 of 20 trials, budget 0.5",
        "elsewhere": "12 of 20 trials, budget 0.5, on flags",
        "other": "12 of 20 trials, budget 0.5, with clip:mini",
        "untuned": "no",
        "kept": "12 of 20 trials, budget 0.5, default kept",
        "none_done": "0 of 20 trials, budget 0.5, default kept",
        "no_use": "12 of 20 trials, budget 0.5, no better than doing nothing",
        "dear": "N/A within the budget",
        "half": "12 of 20 trials, budget 0.5, except batch_size, l\\|r",
        "chosen": "by hand",
        "mixed": "differs by seed",
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gradient_ascent on _x_", r"gradient_ascent on \_x\_"),
        ("a | b <c> & d", r"a \| b &lt;c> &amp; d"),
        ("`a` [b](c) **d** ~e~ $f$ \\g", r"\`a\` \[b\](c) \*\*d\*\* \~e\~ \$f\$ \\g"),
        ("a\n# b\x1b", r"a # b\\x1b"),
    ],
)
def test_text_is_no_markdown(text, shown):
    assert escape(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "`a b`"),
        ("a `b` ``c", "```a `b` ``c```"),
        ("`a`", "`` `a` ``"),
        ("a\n`b", "``a `b``"),
        ("", "` `"),
    ],
)
def test_code_ends_where_the_text_does(text, shown):
    assert code(text) == shown
