"""A package whose entry points add gadgets to a registry of gadgets."""

from __future__ import annotations

from pathlib import Path

GROUP = "mmulbench.test.gadgets"

PYPROJECT = f"""
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "mmul-gadgets"
version = "0.1.0"
[project.entry-points."{GROUP}"]
by_module = "mmul_gadgets.deep.by_module"
by_class = "mmul_gadgets.by_class:Gadget"
no_gadget = "mmul_gadgets.by_class:Plain"
absent = "mmul_gadgets.nowhere"
ball = "mmul_gadgets.by_class:Gadget"
[tool.setuptools]
packages = ["mmul_gadgets", "mmul_gadgets.deep"]
"""

FILES = {
    "pyproject.toml": PYPROJECT,
    "mmul_gadgets/__init__.py": "",
    "mmul_gadgets/deep/__init__.py": "",
    "mmul_gadgets/deep/by_module.py": (
        '"""A gadget registered by its module."""\n'
        "from host.api import GADGETS, Base\n"
        '@GADGETS.register("by_module")\n'
        "class Gadget(Base): ...\n"
    ),
    "mmul_gadgets/by_class.py": (
        '"""A gadget named by its class."""\n'
        "from host.api import Base\n"
        "class Gadget(Base): ...\n"
        "class Plain: ...\n"
    ),
}


def write(folder: Path) -> None:
    """Write the package's source."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
