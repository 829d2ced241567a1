"""Read what modules and classes say of themselves: the first line of a docstring, without importing it."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path


def described_file(path: Path) -> str | None:
    """Return the first docstring line of a source file, None where it has none."""
    try:
        text = ast.get_docstring(ast.parse(path.read_bytes()))
    except (OSError, ValueError, SyntaxError) as error:
        return f"cannot be read: {type(error).__name__} in {path.name}"
    return text.splitlines()[0] if text else None


def described_module(module: str) -> str | None:
    """Return the first docstring line of an installed module, None where there is none to be found."""
    path = file_of(module)
    return described_file(path) if path is not None else None


def described_variants(path: Path) -> list[str]:
    """Return the names in the first table called ``variants`` in a source file; none where there is none."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return []
    for node in ast.walk(tree):
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if any(isinstance(one, ast.Name) and one.id == "variants" for one in targets):
            keys = getattr(getattr(node, "value", None), "keys", [])
            return [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return []


def described_settings(path: Path) -> dict[str, str]:
    """Return what the classes of a source file say of their attributes, without importing it.

    Args:
        path: the file; one that cannot be read says nothing.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return {}
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found |= attributes_in(ast.get_docstring(node) or "")
    return found


def attributes_in(docstring: str) -> dict[str, str]:
    """Return what a docstring says of each attribute.

    Args:
        docstring: the docstring of a class, without indentation.
    """
    found: dict[str, str] = {}
    name = ""
    for line in docstring.partition("Attributes:\n")[2].splitlines():
        if not line.startswith("    "):
            break
        if line.startswith("        "):
            found[name] = f"{found.get(name, '')} {line.strip()}"
        else:
            name, _, meaning = line.strip().partition(":")
            found[name] = meaning.strip()
    return found


def described_class(cls: type[object]) -> str | None:
    """Return the first docstring line of a class, or else of its module."""
    lines = (cls.__doc__ or sys.modules[cls.__module__].__doc__ or "").strip().splitlines()
    return lines[0] if lines else None


def file_of(module: str) -> Path | None:
    """Find a module's source file without importing its parents, as `find_spec` alone would do."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    for part in rest:
        locations: Iterable[str] = (spec and spec.submodule_search_locations) or []
        spec = importlib.machinery.PathFinder.find_spec(f"{spec.name}.{part}" if spec else part, [*locations])
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None
