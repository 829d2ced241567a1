"""An outside package, really built and installed, adds entries through entry points alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gadgets import GROUP

HOST = {
    "host/__init__.py": "",
    "host/api.py": (
        "from mmulbench.core.registry import Registry\n"
        "class Base: ...\n"
        f'GADGETS = Registry("gadget", "host.api:Base", "host.gadgets", "{GROUP}")\n'
    ),
    "host/gadgets/__init__.py": "",
    "host/gadgets/ball.py": '"""A gadget of the host\'s own."""\n',
}


@pytest.fixture(scope="module")
def installed(site, tmp_path_factory) -> list[Path]:
    """The folders to put on the path: the host and the installed outside package."""
    folder = tmp_path_factory.mktemp("host")
    for name, text in HOST.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return [folder, site]


def run(installed: list[Path], code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, installed))}
    code = (
        "import sys\nfrom host.api import GADGETS, Base\nfrom mmulbench.errors import MmulbenchError\n" + code
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def message(installed: list[Path], name: str) -> str:
    return run(
        installed,
        f"try: GADGETS.get('{name}')\nexcept MmulbenchError as error: print(type(error).__name__, error)",
    )


def test_listed_and_described_without_importing(installed):
    code = (
        "print(GADGETS.names())\n"
        "for name in GADGETS.names(): print(GADGETS.describe(name))\n"
        "assert not [name for name in sys.modules if name.startswith('mmul_gadgets')]"
    )
    assert run(installed, code).splitlines() == [
        "['absent', 'ball', 'by_class', 'by_module', 'no_gadget']",
        "from mmul-gadgets",
        "A gadget of the host's own.",
        "A gadget named by its class.",
        "A gadget registered by its module.",
        "A gadget named by its class.",
    ]


def test_loaded_by_module_and_by_class(installed):
    code = (
        "for name in ('by_module', 'by_class'):\n"
        "    cls = GADGETS.get(name)\n"
        "    assert issubclass(cls, Base) and GADGETS.get(name) is cls\n"
        "    print(cls.__module__)"
    )
    assert run(installed, code).splitlines() == ["mmul_gadgets.deep.by_module", "mmul_gadgets.by_class"]


def test_faults_of_an_outside_package_are_one_line(installed):
    assert message(installed, "no_gadget") == (
        "UsageError gadget 'no_gadget': mmul_gadgets.by_class.Plain does not extend host.api.Base"
    )
    assert message(installed, "absent") == (
        "MmulbenchError gadget 'absent' cannot be loaded from mmul-gadgets, mmul_gadgets.nowhere: "
        "ModuleNotFoundError: No module named 'mmul_gadgets.nowhere'"
    )
    assert message(installed, "ball") == (
        "UsageError gadget 'ball' is registered by both host.gadgets.ball and "
        "mmul-gadgets (mmul_gadgets.by_class:Gadget); rename or uninstall one"
    )
