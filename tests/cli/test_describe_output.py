"""``mmulbench describe`` on terminals, in pipes and as JSON."""

from __future__ import annotations

import json

import pytest
from helpers import here
from terminals import on_terminal

from mmulbench.core.registry import METHODS, TASKS


def test_a_method_with_settings_sources_tasks_and_cost():
    done = here("describe", "method", "mmul")
    assert (done.code, done.err) == (0, "")
    for text in (
        "mmul: MMUL (MultiDelete): decouple",
        "L = alpha * MD + beta * UKR + gamma * MKR",
        "0.1 to 10, by ratios",
        "all or fusion",
        "Weights are the paper's (all 1)",
        f"Applies to {len(TASKS.names())} of {len(TASKS.names())} tasks",
        "Cost, unlearning alone",
    ):
        assert text in done.out, text
    assert all(line == line.rstrip() for line in done.out.splitlines())


def test_what_has_no_settings_says_so():
    assert "none" in here("describe", "method", "retrain").out.splitlines()[here_index("retrain")].strip()


def here_index(method):
    lines = here("describe", "method", method).out.splitlines()
    return next(place for place, line in enumerate(lines) if line.startswith("Settings")) + 1


@pytest.mark.parametrize("kind,name", [("task", "flickr30k"), ("backbone", "albef"), ("metric", "mia")])
def test_other_kinds(kind, name):
    done = here("describe", kind, name)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{name}: ")


def test_json_has_the_same(tmp_path):
    found = json.loads(here("describe", "method", "mmul", "--json").out)
    (settings,) = found["settings"].values()
    assert [one["name"] for one in settings] == list(METHODS.get("mmul").Config.__dataclass_fields__)


def test_unknown_names_and_kinds_are_slips():
    assert "did you mean mmul?" in here("describe", "method", "mmull").err
    assert here("describe", "methods", "mmul").code == 2


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 90])
def test_a_terminal_cuts_nothing(width):
    code, out = on_terminal(width, "-m", "mmulbench", "describe", "method", "mmul")
    assert code == 0
    assert "…" not in out
    assert all(len(line) <= width for line in out.splitlines())
