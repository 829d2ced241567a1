"""Where mmulbench cannot run, one line says so at the start: to commands, and to Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mmulbench.supported import NEEDED, OLDEST, refusal

ROOT = Path(__file__).resolve().parents[1]

HIDING = """
import sys
for name in {hidden!r}:
    sys.modules[name] = None
sys.platform = {platform!r}
sys.argv = ["mmulbench", *{words!r}]
{then}
"""

COMMAND = "from mmulbench.cli.app import main; sys.exit(main())"


def python(then: str, *words: str, hidden: tuple[str, ...] = (), platform: str = sys.platform):
    code = HIDING.format(hidden=hidden, platform=platform, words=words, then=then)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_here_it_runs():
    assert refusal() == ""
    assert python(COMMAND, "--version").returncode == 0


@pytest.mark.parametrize("words", [("--version",), ("list", "methods"), ("run", "-m", "mmul", "-t", "emoji")])
def test_on_windows_a_command_says_so_in_one_line(words):
    done = python(COMMAND, *words, hidden=NEEDED, platform="win32")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mmulbench: mmulbench runs on Linux and macOS: this Python lacks fcntl and resource; on Windows, use "
        "the Windows Subsystem for Linux\n"
    )


def test_in_python_what_is_asked_for_says_so():
    done = python("import mmulbench\nprint(mmulbench.__version__)\nmmulbench.run", hidden=("resource",))
    assert done.stdout.startswith("0.")
    last = done.stderr.splitlines()[-1]
    assert last == "ImportError: mmulbench runs on Linux and macOS: this Python lacks resource"


@pytest.mark.parametrize(("version", "said"), [((3, 10, 12), "3.10.12"), ((2, 7, 18), "2.7.18")])
def test_an_older_python_is_named_with_what_is_needed(version, said):
    assert (
        refusal(version)
        == f"mmulbench needs Python 3.11 or newer, and this is Python {said}: {sys.executable}"
    )


def test_everybody_says_the_same_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    oldest = ".".join(map(str, OLDEST))
    assert project["project"]["requires-python"] == f">={oldest}"
    assert project["tool"]["mypy"]["python_version"] == oldest
    assert project["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    named = [one for one in project["project"]["classifiers"] if "Python :: 3." in one]
    assert named[0].endswith(f":: {oldest}")
    for page in ("README.md", "docs/getting-started.md", "CONTRIBUTING.md"):
        assert f"Python {oldest} or newer, and Linux or macOS" in (ROOT / page).read_text()


ASK = "import sys; sys.exit(not (3, 7) <= sys.version_info < (3, 11))"


def older_python() -> str | None:
    """A Python 3.7 to 3.10 of this machine."""
    installed = [path for minor in (7, 8, 9, 10) if (path := shutil.which(f"python3.{minor}"))]
    installed += [str(path) for path in Path.home().glob(".pyenv/versions/3.*/bin/python3")]
    for path in installed:
        if subprocess.run([path, "-c", ASK], capture_output=True, check=False).returncode == 0:
            return path
    return None


def test_a_real_older_python_gets_one_line():
    older = older_python()
    if older is None:
        pytest.skip("there is no older Python here")
    done = subprocess.run(
        [older, "-B", "-m", "mmulbench", "list", "methods"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mmulbench: mmulbench needs Python 3.11 or newer, and this is Python 3.")
    assert done.stderr.count("\n") == 1
