"""The examples that help shows can be typed: each is parsed, and every name in it is registered."""

from __future__ import annotations

import shlex

import pytest
import typer
from command_reference import commands

from mmulbench.cli.app import app
from mmulbench.cli.examples import EXAMPLES, shown_examples
from mmulbench.cli.names import several
from mmulbench.core.registry import METHODS, METRICS, TASKS, Registry

ALL = [(name, line) for name, lines in EXAMPLES.items() for line in lines]


def test_every_command_has_two():
    assert {name for name, _ in commands()} == set(EXAMPLES)
    assert {name for name, lines in EXAMPLES.items() if len(set(lines)) < 2} == set()


@pytest.mark.parametrize(("name", "line"), ALL)
def test_they_are_parsed_as_they_stand(name, line):
    assert line.startswith(f"mmulbench {name}")
    assert len(line) <= 77  # so that 80 columns show each in one line
    words = shlex.split(line.partition(" > ")[0])[1:]
    command = dict(commands())[name]
    context = command.make_context(name, words[len(name.split()) :])
    given = context.params
    registries = {"method": METHODS, "task": TASKS, "metric": METRICS}
    for key, registry in registries.items():
        value = given.get(key)
        assert isinstance(registry, Registry)
        names = several([value] if isinstance(value, str) else value, key)
        assert set(names) <= {*registry.names(), "all"}, line


def test_what_is_shown_has_a_title():
    assert shown_examples("run").startswith("[bold]Examples[/bold]\n\nmmulbench run ")
    assert shown_examples("nothing") == ""
    assert isinstance(app, typer.Typer)
