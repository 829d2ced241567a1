"""Help shows options in panels, the commands in the order of use, and examples that can be copied."""

from __future__ import annotations

import re

import pytest
from command_reference import commands
from helpers import here
from terminals import on_terminal

from mmulbench.cli.examples import EXAMPLES
from mmulbench.cli.help import SECTIONS
from mmulbench.cli.options import PANELS


def panels(text: str) -> list[str]:
    return re.findall(r"^╭─ ([\w ]+) ─", text, re.M)


def test_run_is_the_first_command_and_every_command_is_in_a_section():
    text = here("--help").out
    assert panels(text) == ["Options", *SECTIONS]
    listed = re.findall(r"^│ ([a-z]+) ", text, re.M)
    assert listed[0] == "run"
    known = [name for names in SECTIONS.values() for name in names]
    assert listed == [name for name in known if name in listed]
    assert {name.split()[0] for name, _ in commands()} == set(listed)


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_options_are_in_panels_of_one_order(name):
    done = here(*name.split(), "--help")
    assert (done.code, done.err) == (0, "")
    found = [one for one in panels(done.out) if one != "Arguments"]
    assert found == [one for one in PANELS if one in found]
    assert found[-1] == "Output" and "--help" in done.out.partition("─ Output ─")[2]
    for line in EXAMPLES[name]:
        assert f" {line} " in done.out


@pytest.mark.parametrize("width", [80, 120])
def test_examples_are_whole_on_terminals(width):
    code, out = on_terminal(width, "-m", "mmulbench", "run", "--help")
    assert code == 0
    lines = [line.strip() for line in out.splitlines()]
    assert set(EXAMPLES["run"]) <= set(lines)
    assert panels(out) == ["What", "Where", "How", "Output"]
