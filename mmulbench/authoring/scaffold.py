"""Write a working method, task or metric with its test, from templates (``mmulbench new``)."""

from __future__ import annotations

import keyword
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mmulbench import METHODS, METRICS, TASKS, UsageError
from mmulbench.core.registry import Registry
from mmulbench.files import write_atomically

if TYPE_CHECKING:
    from mmulbench import Method, Metric, Task

Component = Literal["method", "task", "metric"]
"""Part of the benchmark that there is a template for."""

PLUGIN_LINE = "  # plug-in"
"""End of lines in a template that are only for a file outside of a checkout."""

_FOLDERS: Mapping[Component, str] = {
    "method": "methods",
    "task": "tasks",
    "metric": "mmulbench/metrics/catalogue",
}
_HERE = Path(__file__).resolve().parent
_REGISTRIES: Mapping[Component, Registry[Method] | Registry[Task] | Registry[Metric]] = {
    "method": METHODS,
    "task": TASKS,
    "metric": METRICS,
}


@dataclass(frozen=True)
class Destination:
    """Says where a new file and its test go.

    Attributes:
        file: path of the method or task.
        test: path of its test.
        plugin: whether commands have to name the file (``--plugin``), since it is in no checkout.
    """

    file: Path
    test: Path
    plugin: bool


def write_new(component: Component, name: str, folder: Path | None) -> list[str]:
    """Write a new method, task or metric and its test.

    Args:
        component: kind of the new file.
        name: name to register it under.
        folder: folder to write to; by default the checkout that mmulbench runs from, or else the working
            folder.

    Returns:
        Lines that say what was written and what to do next.

    Raises:
        UsageError: if the name cannot be used or is taken, or a file is there already.
        MmulbenchError: if a file cannot be written.
    """
    _check_name(component, name)
    destination = _destination(component, name, folder)
    for path in (destination.file, destination.test):
        if path.exists():
            raise UsageError(f"{path} exists already; choose another name, or delete it first")
    for path, template in (
        (destination.file, f"my_{component}.py"),
        (destination.test, f"test_my_{component}.py"),
    ):
        write_atomically(path, rendered(template, name, plugin=destination.plugin), "--folder")
    return [
        f"wrote {_short(destination.file)}",
        f"wrote {_short(destination.test)}",
        "",
        *_next_steps(component, name, destination),
    ]


def rendered(template: str, name: str, *, plugin: bool) -> str:
    """Return the text of a template with a name put into it.

    Args:
        template: name of a file in ``mmulbench/authoring/templates``.
        name: name of the method or task.
        plugin: whether the file is for a folder outside of a checkout.
    """
    component = template.removesuffix(".py").rpartition("my_")[2]
    text = (_HERE / "templates" / template).read_text(encoding="utf-8")
    if plugin:
        text = text.replace(PLUGIN_LINE, "")
    else:
        text = "".join(line for line in text.splitlines(True) if not line.rstrip().endswith(PLUGIN_LINE))
    return text.replace(f"my_{component}", name).replace(f"My{component.title()}", _class_name(name))


def checkout() -> Path | None:
    """Find the root of the source tree that mmulbench runs from.

    Returns:
        The root, or None where mmulbench is installed, or the tree is read-only.
    """
    root = _HERE.parents[1]
    own = all((root / part).exists() for part in ("pyproject.toml", "methods", "tasks"))
    return root if own and os.access(root / "methods", os.W_OK) else None


def _check_name(component: Component, name: str) -> None:
    """Demand that a name can be used.

    Raises:
        UsageError: if the name is of the wrong form, or taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {component}: use small letters, digits and _, "
            f"and a letter first, such as my_{component}"
        )
    if name in _REGISTRIES[component].names():
        raise UsageError(f"there is a {component} {name!r} already; choose another name")


def _destination(component: Component, name: str, folder: Path | None) -> Destination:
    root = checkout() if folder is None else None
    if root is None:
        folder = folder or Path()
        return Destination(folder / f"{name}.py", folder / f"test_{name}.py", plugin=True)
    test = root / "tests" / f"{component}s" / f"test_{name}.py"
    return Destination(root / _FOLDERS[component] / f"{name}.py", test, plugin=False)


def _next_steps(component: Component, name: str, destination: Destination) -> list[str]:
    plugin = f" --plugin {shlex.quote(_short(destination.file))}" if destination.plugin else ""
    data = " --data-dir data" if component == "task" else ""
    chosen = {
        "method": f"--method {name} --task emoji",
        "task": f"--method mmul --task {name}{data}",
        "metric": "--method mmul --task emoji",
    }[component]
    return [
        "Make it yours, then:",
        f"  mmulbench run {chosen}{plugin}",
        f"  mmulbench check {component} {name}{data}{plugin}",
        f"  pytest {shlex.quote(_short(destination.test))}",
    ]


def _short(path: Path) -> str:
    """Return the path from the working folder, where the file is below it."""
    whole = path.absolute()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(whole)


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
