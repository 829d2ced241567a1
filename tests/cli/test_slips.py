"""What is missing is answered with what there is, and an unknown option with the one for settings."""

from __future__ import annotations

import pytest
from helpers import here

from mmulbench.core.registry import BACKBONES, METHODS, METRICS, TASKS


@pytest.mark.parametrize(
    ("words", "missing", "registry"),
    [
        (["run", "-m", "mmul"], "Missing option '--task' / '-t'.", TASKS),
        (["run", "-t", "emoji"], "Missing option '--method' / '-m'.", METHODS),
        (["tune"], "Missing option '--task' / '-t'.", TASKS),
        (["data", "info"], "Missing argument 'TASK'.", TASKS),
        (["check", "backbone"], "Missing argument 'NAME'.", BACKBONES),
        (["describe", "metric"], "Missing argument 'NAME'.", METRICS),
    ],
)
def test_a_missing_name_is_answered_with_the_list(words, missing, registry):
    done = here(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"mmulbench: {missing} Choose from: {', '.join(registry.names())}\n"


def test_what_has_no_list_is_left_as_it_is():
    assert here("new", "method").err.count("Choose from") == 0
    assert "Choose from: tasks, methods" in here("list").err


def test_an_unknown_option_may_be_a_setting():
    done = here("run", "-m", "mmul", "-t", "emoji", "--batch-size", "3")
    assert done.code == 2
    assert "No such option: --batch-size" in done.err
    assert done.err.endswith("; a setting is given as --set batch_size=VALUE\n")
    assert "--set" not in here("list", "methods", "--epochs", "3").err
    assert "--set" not in here("run", "-x").err.partition("Possible")[0]
