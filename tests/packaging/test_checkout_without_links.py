"""A checkout in which the links to methods/ and tasks/ became text files says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "mmulbench"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the package as git writes it without symbolic links: files that name their target."""
    root = tmp_path_factory.mktemp("checkout")
    links = [path.name for path in PACKAGE.iterdir() if path.is_symlink()]
    assert sorted(links) == ["methods", "tasks"]
    ignored = shutil.ignore_patterns("__pycache__", *links)
    shutil.copytree(PACKAGE, root / "mmulbench", ignore=ignored)
    for name in links:
        (root / "mmulbench" / name).write_text(f"../{name}")
    return root


def python(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("name", ["methods", "tasks"])
def test_what_needs_the_folders_says_in_one_line_what_to_do(checkout, name):
    done = python(checkout, "-m", "mmulbench", "list", name)
    link = checkout / "mmulbench" / name
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"{link} should be a symbolic link to the folder {name}/ but is a file" in done.stderr
    assert f"git config core.symlinks true && git checkout -f -- mmulbench/{name}\n" in done.stderr


def test_the_rest_works(checkout):
    assert python(checkout, "-m", "mmulbench", "--version").stdout.startswith("mmulbench ")
    done = python(checkout, "-c", "import mmulbench; print(mmulbench.UsageError.__name__)")
    assert done.stdout == "UsageError\n", done.stderr
