"""``mmulbench new``: a working method or task and its test, from templates that work as they are."""

from __future__ import annotations

import keyword
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmulbench.core.registry import METHODS, TASKS, Registry
from mmulbench.errors import UsageError
from mmulbench.files import write_atomically

Component = Literal["method", "task"]

PLUGIN_LINE = "  # plug-in"
"""Ends the lines of a template that only a file in a folder of its own needs."""

_HERE = Path(__file__).resolve().parent
_REGISTRIES: Mapping[Component, Registry[Any]] = {"method": METHODS, "task": TASKS}


@dataclass(frozen=True)
class Destination:
    """Where a new file and its test go.

    Attributes:
        file: of the method or task.
        test: of its test.
        plugin: whether mmulbench has to be told of the file.
    """

    file: Path
    test: Path
    plugin: bool


def write_new(kind: Component, name: str, folder: Path | None) -> list[str]:
    """Write a new method or task and its test.

    Args:
        kind: of thing.
        name: to register it under.
        folder: where to write; by default the checkout that mmulbench runs from, else the working folder.

    Returns:
        Lines that say what was written and what to do next.

    Raises:
        UsageError: the name cannot be used or is taken, or a file is there already.
        MmulbenchError: a file cannot be written.
    """
    _check_name(kind, name)
    place = _place(kind, name, folder)
    for path in (place.file, place.test):
        if path.exists():
            raise UsageError(f"{path} exists already; choose another name, or delete it first")
    for path, template in ((place.file, f"my_{kind}.py"), (place.test, f"test_my_{kind}.py")):
        write_atomically(path, rendered(template, name, plugin=place.plugin), "--folder")
    return [f"wrote {_short(place.file)}", f"wrote {_short(place.test)}", "", *_next_steps(kind, name, place)]


def rendered(template: str, name: str, *, plugin: bool) -> str:
    """A template with the name in it.

    Args:
        template: file name in ``mmulbench/authoring/templates``.
        name: of the method or task.
        plugin: whether it is for a folder of its own.
    """
    kind = template.removesuffix(".py").rpartition("my_")[2]
    text = (_HERE / "templates" / template).read_text(encoding="utf-8")
    if plugin:
        text = text.replace(PLUGIN_LINE, "")
    else:
        text = "".join(line for line in text.splitlines(True) if not line.rstrip().endswith(PLUGIN_LINE))
    return text.replace(f"my_{kind}", name).replace(f"My{kind.title()}", _class_name(name))


def checkout() -> Path | None:
    """The root of the source tree that mmulbench runs from; None where it is installed or read-only."""
    root = _HERE.parents[1]
    own = all((root / part).exists() for part in ("pyproject.toml", "methods", "tasks"))
    return root if own and os.access(root / "methods", os.W_OK) else None


def _check_name(kind: Component, name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {kind}: use small letters, digits and _, "
            f"and a letter first, such as my_{kind}"
        )
    if name in _REGISTRIES[kind].names():
        raise UsageError(f"there is a {kind} {name!r} already; choose another name")


def _place(kind: Component, name: str, folder: Path | None) -> Destination:
    root = checkout() if folder is None else None
    if root is None:
        folder = folder or Path()
        return Destination(folder / f"{name}.py", folder / f"test_{name}.py", plugin=True)
    parts = f"{kind}s"
    return Destination(root / parts / f"{name}.py", root / "tests" / parts / f"test_{name}.py", plugin=False)


def _next_steps(kind: Component, name: str, place: Destination) -> list[str]:
    plugin = f" --plugin {shlex.quote(_short(place.file))}" if place.plugin else ""
    data = " --data-dir data" if kind == "task" else ""
    chosen = f"--method {name} --task emoji" if kind == "method" else f"--method mmul --task {name}{data}"
    return [
        "Make it yours, then:",
        f"  mmulbench run {chosen}{plugin}",
        f"  mmulbench check {kind} {name}{data}{plugin}",
        f"  pytest {shlex.quote(_short(place.test))}",
    ]


def _short(path: Path) -> str:
    """The path from the working folder, where it leads there."""
    whole = path.absolute()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(whole)


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
