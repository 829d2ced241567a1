"""docs/architecture.md names what is there: the rooms with their words, the functions of the three walks."""

from __future__ import annotations

import ast
import importlib
import re
from functools import reduce

import pytest
from pages import ROOT, TEXTS

from tests.test_rooms import GROUND, ORDER, PACKAGE

PAGE = TEXTS["docs/architecture.md"]
STOPS = re.findall(r"\[`([a-z_.]+):([A-Za-z_.]+)`\]\(\.\./(\S+)\)", PAGE)


def test_the_walks_have_stops():
    assert len(STOPS) > 30
    assert len(STOPS) == len(re.findall(r"`[a-z_.]+:[A-Za-z_.]+`", PAGE))


@pytest.mark.parametrize(("module", "name", "path"), STOPS, ids=[f"{stop[0]}:{stop[1]}" for stop in STOPS])
def test_every_stop_exists(module, name, path):
    found = importlib.import_module(f"mmulbench.{module}")
    assert reduce(getattr, name.split("."), found) is not None
    assert (ROOT / path).read_bytes() == (PACKAGE / f"{module.replace('.', '/')}.py").read_bytes()


@pytest.mark.parametrize("room", [room for room in ORDER if room != GROUND])
def test_the_table_says_what_a_room_may_import(room):
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_bytes())) or ""
    allowed = re.search(r"^May import: (.*)\.$", text, re.M | re.S)
    assert allowed is not None
    folder = room if room in ("methods", "tasks") else f"mmulbench/{room}"
    (said,) = re.findall(rf"^\| \[{room}\]\(\.\./{folder}/__init__\.py\) \| .* \| (.*) \|$", PAGE, re.M)
    assert said == " ".join(allowed[1].split())


def test_the_rooms_stand_in_their_order():
    rows = re.findall(r"^\| \[([\w ]+)\]\(", PAGE, re.M)
    assert rows == [room.removeprefix("the ") for room in ORDER]
