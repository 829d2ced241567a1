"""The public face: what authors import from ``mmulbench`` itself is there, and costs nothing before use."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mmulbench

PLACES = [(module, name) for module, names in mmulbench._ROOM_OF.items() for name in names]


@pytest.mark.parametrize(("module", "name"), PLACES, ids=[name for _, name in PLACES])
def test_a_public_name_is_what_its_room_holds(module, name):
    assert getattr(mmulbench, name) is getattr(importlib.import_module(f"mmulbench.{module}"), name)


def test_type_checkers_and_the_interpreter_know_the_same_names():
    (block,) = (
        node
        for node in ast.parse(Path(mmulbench.__file__).read_bytes()).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    typed = [
        (line.module.removeprefix("mmulbench."), alias.asname)
        for line in block.body
        if isinstance(line, ast.ImportFrom) and line.module
        for alias in line.names
    ]
    assert sorted(typed) == sorted(PLACES)


def test_each_name_stands_once():
    assert len({name for _, name in PLACES}) == len(PLACES)


def test_the_names_are_listed():
    assert {name for _, name in PLACES} <= set(dir(mmulbench))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing_of_the_kind'"):
        mmulbench.nothing_of_the_kind  # noqa: B018


def test_importing_mmulbench_imports_no_torch():
    code = "import sys, mmulbench; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
