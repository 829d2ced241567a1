"""Wheels of this project and of three outside packages, built once, and a folder with the outside ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import gadgets
import pytest
from pages import FILES

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("mmulbench", "methods", "tasks", "tests", "benchmarks")
DOCUMENTED = [name for name in FILES if name.endswith(("/my_method.py", "/my_task.py", "/my_metric.py"))]
PIP_OPTIONS = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]


def pip(*words: str) -> None:
    """Run pip, which may take two minutes and no network."""
    command, *rest = words
    subprocess.run([sys.executable, "-m", "pip", command, *PIP_OPTIONS, *rest], check=True, timeout=120)


def write_project(folder: Path) -> None:
    """Copy what the project's wheel is built from, so that no ``build/`` appears in the checkout."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)


def write_documented_package(folder: Path) -> None:
    """Write the package that the documentation shows, with the method, task and metric it shows."""
    package = folder / "my_package"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(FILES["pyproject.toml"], encoding="utf-8")
    (package / "__init__.py").touch()
    for name in DOCUMENTED:
        (package / Path(name).name).write_text(FILES[name], encoding="utf-8")


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> Path:
    """The folder of all four wheels."""
    root = tmp_path_factory.mktemp("wheels")
    write_project(root / "project")
    gadgets.write(root / "gadgets")
    shutil.copytree(ROOT / "tests" / "data" / "outside_package", root / "outside")
    write_documented_package(root / "documented")
    sources = [str(root / name) for name in ("project", "gadgets", "outside", "documented")]
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(root / "built"), *sources)
    return root / "built"


@pytest.fixture(scope="session")
def site(wheels, tmp_path_factory) -> Path:
    """A folder into which the three outside packages are installed."""
    folder = tmp_path_factory.mktemp("site")
    outside = [str(path) for path in wheels.glob("*.whl") if not path.name.startswith("mmulbench-")]
    assert len(outside) == 3
    pip("install", "--target", str(folder), *outside)
    return folder
