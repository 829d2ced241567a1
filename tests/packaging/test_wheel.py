"""The wheel holds the whole package and nothing else; methods/ and tasks/ have one import name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(wheels) -> zipfile.ZipFile:
    """The project's own wheel."""
    (path,) = wheels.glob("mmulbench-*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_module_and_nothing_else(wheel):
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "mmulbench").rglob("*.py")}
    for folder in ("methods", "tasks"):
        modules |= {
            f"mmulbench/{folder}/{path.relative_to(ROOT / folder)}" for path in (ROOT / folder).rglob("*.py")
        }
    assert {"mmulbench/methods/mmul.py", "mmulbench/tasks/emoji.py", "mmulbench/cli/app.py"} <= modules
    studies = {p.relative_to(ROOT).as_posix() for p in (ROOT / "mmulbench/studies").rglob("*.json")}
    templates = {p.relative_to(ROOT).as_posix() for p in (ROOT / "mmulbench").glob("*/templates/*")}
    packaged = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packaged == {*modules, *studies, *templates, "mmulbench/py.typed"}


def test_the_wheel_has_licence_and_command(wheel):
    texts = {name.partition(".dist-info/")[2]: wheel.read(name).decode() for name in wheel.namelist()}
    assert texts["licenses/LICENSE"] == (ROOT / "LICENSE").read_text()
    assert "mmulbench = mmulbench.cli.app:main" in texts["entry_points.txt"]
    assert "License-Expression: MIT" in texts["METADATA"]


@pytest.mark.parametrize("kind", ["methods", "tasks"])
def test_the_unpacked_wheel_finds_what_the_checkout_has(wheel, tmp_path, kind):
    wheel.extractall(tmp_path)
    code = f"import sys; from mmulbench.cli.app import main; sys.exit(main(['list', '{kind}', '--json']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    expected = sorted(path.stem for path in (ROOT / kind).glob("*.py") if not path.stem.startswith("_"))
    assert [entry["name"] for entry in json.loads(done.stdout)] == expected


@pytest.mark.parametrize("name", ["methods", "tasks"])
def test_the_folders_cannot_be_imported_by_themselves(name):
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert f"ImportError: import mmulbench.{name}, not {name}" in done.stderr
