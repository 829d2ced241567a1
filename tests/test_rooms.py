"""Every room imports only rooms below it: arrows between the rooms of mmulbench run one way."""

from __future__ import annotations

import ast
import os
import re
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mmulbench"

GROUND = "the ground floor"
ORDER = (
    GROUND,
    "records",
    "cache",
    "core",
    "metrics",
    "evaluation",
    "validity",
    "backbones",
    "methods",
    "tasks",
    "exports",
    "loggers",
    "runs",
    "report",
    "handover",
    "tuning",
    "sweeps",
    "audit",
    "site",
    "conformance",
    "selftest",
    "authoring",
    "api",
    "cli",
)
"""The rooms, each of which may import those before it; the public face, ``__init__``, stands outside.
Metrics come after core, as methods and tasks do: each registers itself in a registry of core."""

FACES = {"mmulbench", "mmulbench.__main__"}


def room_of(module: str) -> str:
    name = module.split(".")[1]
    return name if (PACKAGE / name).is_dir() else GROUND


def modules() -> dict[str, Path]:
    found = {}
    files = (Path(folder, name) for folder, _, names in os.walk(PACKAGE, followlinks=True) for name in names)
    for path in files:
        if path.suffix != ".py":
            continue
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def arrows() -> dict[tuple[str, str], list[str]]:
    """By rooms, every import from one into another, with its place; those for type checking too."""
    found: dict[tuple[str, str], list[str]] = {}
    for module in MODULES.keys() - FACES:
        for node in ast.walk(ast.parse(MODULES[module].read_bytes())):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for target in imported(node):
                pair = room_of(module), room_of(target)
                if pair[0] != pair[1]:
                    found.setdefault(pair, []).append(f"{module}:{node.lineno} imports {target}")
    return found


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules of mmulbench that a node imports; of the public face, nothing."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        both = [(f"{node.module}.{alias.name}", node.module) for alias in node.names]
        names = [longer if longer in MODULES else module for longer, module in both]
    else:
        return []
    return [name for name in names if name.startswith("mmulbench.")]


def test_the_order_names_every_room():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(ORDER) - {GROUND}


def test_no_arrow_runs_back():
    back = {pair: places for pair, places in arrows().items() if ORDER.index(pair[0]) < ORDER.index(pair[1])}
    assert not back


@pytest.mark.parametrize("room", ORDER[1:])
def test_a_room_says_what_it_may_import(room):
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_bytes())) or ""
    assert re.search(r"^For others: \S", text, re.M)
    said = re.search(r"^May import: (.*)\.$", text, re.M | re.S)
    assert said is not None
    allowed = set(ORDER) if said[1] == "every other room" else set(re.split(r",\s+", said[1]))
    assert allowed <= set(ORDER)
    assert {target for source, target in arrows() if source == room} <= allowed
