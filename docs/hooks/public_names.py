"""List the names of the public face, `mmulbench`, so that mkdocstrings documents each from its docstring."""

from __future__ import annotations

import ast
from pathlib import Path

import mmulbench


def public_names() -> str:
    """Return a section for each room that lends names to the public face."""
    by_room: dict[str, list[str]] = {}
    for name in names():
        by_room.setdefault(_module_of(name), []).append(name)
    sections = []
    for module, found in by_room.items():
        sections += [f"## From `{module}`", "", *(f"::: mmulbench.{name}\n" for name in found)]
    return "\n".join(sections)


def names() -> list[str]:
    """Return the public names, in the order of the imports in `mmulbench/__init__.py`."""
    return [name for _, name in _imports()]


def _module_of(name: str) -> str:
    return next(module for module, found in _imports() if found == name)


def _imports() -> list[tuple[str, str]]:
    tree = ast.parse(Path(mmulbench.__file__).read_bytes())
    return [
        (node.module, alias.asname)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mmulbench.")
        for alias in node.names
        if node.module and alias.asname
    ]
