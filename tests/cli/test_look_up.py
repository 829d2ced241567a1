"""``mmulbench list --task`` shows what applies, and why other things do not."""

from __future__ import annotations

import json

from helpers import here

from mmulbench.core.applicability import reasons_by_method


def test_list_methods_of_a_task_leaves_out_those_that_do_not_apply():
    done = here("list", "methods", "--task", "emoji")
    assert (done.code, done.err) == (0, "")
    applying, _, others = done.out.partition("\nNot applicable to emoji:\n")
    reasons = reasons_by_method("emoji")
    assert [line.split()[0] for line in applying.splitlines()] == [
        name for name, reason in reasons.items() if reason is None
    ]
    assert "gnndelete" in others and str(reasons["gnndelete"]) in others


def test_json_says_what_applies_and_why_not():
    entries = {
        entry["name"]: entry for entry in json.loads(here("list", "methods", "-t", "emoji", "--json").out)
    }
    assert entries["mmul"]["applies"] is True and "reason" not in entries["mmul"]
    assert entries["gnndelete"]["applies"] is False and entries["gnndelete"]["reason"]
    plain = json.loads(here("list", "methods", "--json").out)
    assert "applies" not in plain[0]


def test_list_backbones_of_a_task():
    out = here("list", "backbones", "--task", "pgr").out
    applying, _, others = out.partition("\nNot applicable to pgr:\n")
    assert applying.split()[0] == "gtnn"
    assert "it reads image and text, the task pairs graph and text" in others


def test_what_is_for_every_task_takes_none():
    done = here("list", "metrics", "--task", "emoji")
    assert done.code == 2 and "takes no --task" in done.err
    assert here("list", "methods", "--task", "emojy").code == 2


def test_a_pipe_gets_whole_lines():
    lines = here("list", "metrics").out.splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert all(len(line.split()) > 3 for line in lines)
