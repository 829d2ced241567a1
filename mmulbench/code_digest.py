"""Name code by what it says: methods, tasks and backbones, with the modules of their own that they import.

The rest of mmulbench, which all of them share, is known by its declared versions of recipe and metrics.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import io
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmulbench.errors import MmulbenchError
from mmulbench.files import reason_of

OWN_ROOMS = ("mmulbench.methods", "mmulbench.tasks", "mmulbench.backbones")
"""Packages whose modules belong to the methods, tasks and backbones that import them."""

DIGITS = 16
"""Hexadecimal digits of a digest."""


def code_digest(module: str, without: Sequence[str] = ()) -> str:
    """Return a digest of a module's code and of all that it imports from `OWN_ROOMS` and its own package.

    Comments, docstrings, blank lines and white space at the ends of lines do not count. A module without a
    file, as what is typed at a prompt is in, has the digest of nothing.

    Args:
        module: dotted name; the module itself is not imported.
        without: packages whose modules do not count.

    Returns:
        The first `DIGITS` hexadecimal digits of a SHA-256.

    Raises:
        MmulbenchError: A file cannot be read, or is no Python.
    """
    known: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = source_file(name)
        if name in known or path is None:
            continue
        code, imported = _parsed(path, _content(path), name)
        known[name] = code
        waiting += [other for other in imported if _belongs(other, module) and not _within(other, without)]
    text = "\0".join(f"{name}\0{code}" for name, code in sorted(known.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def _belongs(name: str, module: str) -> bool:
    own = module.partition(".")[0]
    packages = OWN_ROOMS if own == "mmulbench" else (*OWN_ROOMS, own)
    return _within(name, packages)


def _within(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def source_file(name: str) -> Path | None:
    """Return the source file of a module, which is not imported; None where there is no such file."""
    loaded = getattr(sys.modules.get(name), "__file__", None)
    if loaded is not None:
        return Path(loaded) if loaded.endswith(".py") and Path(loaded).is_file() else None
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # ValueError: a module that was made by hand
        return None
    if spec is None:
        return None
    places = [Path(place, *rest) for place in spec.submodule_search_locations or ()]
    files = [file for place in places for file in (place.parent / f"{place.name}.py", place / "__init__.py")]
    return next((file for file in files if file.is_file()), None)


def _content(path: Path) -> bytes:
    """Read a file.

    Raises:
        MmulbenchError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise MmulbenchError(f"the code {path} cannot be read: {reason_of(error)}") from error


@functools.lru_cache(maxsize=512)
def _parsed(path: Path, content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the code of a file without what does not count, and the names that it imports.

    Args:
        path: the file.
        content: what is in it; the same need not be parsed again.
        name: dotted name of its module, which relative imports start from.

    Raises:
        MmulbenchError: It is no Python.
    """
    try:
        source = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read()
        tree = ast.parse(source)
        return _bare(source, tree), tuple(sorted(set(_imports(tree, name, path.name == "__init__.py"))))
    except (SyntaxError, ValueError) as error:
        raise MmulbenchError(f"the code {path} cannot be read: {error}") from error


def _bare(source: str, tree: ast.Module) -> str:
    """Return source text without docstrings, comments, blank lines and white space at ends of lines."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and first.lineno > getattr(node, "lineno", 0) and _is_text(first):
                for row in range(first.lineno, (first.end_lineno or first.lineno) + 1):
                    lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _is_text(statement: ast.Expr) -> bool:
    return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)


def _imports(tree: ast.Module, name: str, is_package: bool) -> Iterator[str]:
    """Yield the dotted names of modules that may be imported: of ``from a import b``, a and a.b."""
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
