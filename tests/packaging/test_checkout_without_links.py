"""A checkout in which the links to methods/ and tasks/ became text files works like any other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("methods", "tasks")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """What git writes without symbolic links: in their place, files that name their targets."""
    root = tmp_path_factory.mktemp("checkout")
    links = [path.name for path in (ROOT / "mmulbench").iterdir() if path.is_symlink()]
    assert sorted(links) == list(ROOMS)
    unwanted = shutil.ignore_patterns("__pycache__", *links)
    shutil.copytree(ROOT / "mmulbench", root / "mmulbench", ignore=unwanted)
    for name in ROOMS:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        (root / "mmulbench" / name).write_text(f"../{name}")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, root)
    return root


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def names(room: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / room).glob("*.py") if not path.stem.startswith("_"))


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_all_are_listed_from_where_they_lie(checkout, room):
    done = python(checkout, "-m", "mmulbench", "list", room, "--json")
    assert [entry["name"] for entry in json.loads(done.stdout)] == names(room), done.stderr
    module = f"mmulbench.{room}.{names(room)[0]}"
    code = f"import importlib; print(importlib.import_module({module!r}).__file__)"
    assert python(checkout, "-c", code).stdout.strip() == f"{checkout}/{room}/{names(room)[0]}.py"


@pytest.mark.slow
def test_code_has_the_digest_that_it_has_elsewhere(checkout):
    code = (
        "from mmulbench.core.run_code import code_of_run\n"
        "print(code_of_run('mmulbench.methods.mmul', 'emoji', 'albef:tiny'))"
    )
    found = python(checkout, "-c", code)
    assert found.stdout == python(ROOT, "-c", code).stdout != "", found.stderr


@pytest.mark.slow
def test_a_wheel_has_both_folders(checkout, tmp_path):
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    done = python(checkout, "-m", "pip", "wheel", *options, "--wheel-dir", str(tmp_path), str(checkout))
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    files = zipfile.ZipFile(wheel).namelist()
    for room in ROOMS:
        packed = [Path(name).stem for name in files if Path(name).parent == Path("mmulbench", room)]
        assert sorted(name for name in packed if not name.startswith("_")) == names(room)
    assert any(name.startswith("mmulbench/tasks/_official/") for name in files)
