"""``mmulbench new``: files that work as they are, in a checkout and in a folder of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import forks
import pytest
from helpers import here

from mmulbench.authoring import scaffold
from mmulbench.core.registry import METHODS, METRICS, TASKS

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "mmulbench" / "authoring" / "templates"


def python(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A new process in a folder."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def copied(tmp_path) -> Path:
    """A copy of the checkout."""
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("mmulbench", "methods", "tasks"):
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


@pytest.mark.parametrize("kind", ["method", "task", "metric"])
def test_in_a_folder_of_ones_own(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = here("new", kind, "push_away", "--folder", "my files")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[:2] == [
        "wrote my files/push_away.py",
        "wrote my files/test_push_away.py",
    ]
    data = " --data-dir data" if kind == "task" else ""
    assert f"  mmulbench check {kind} push_away{data} --plugin 'my files/push_away.py'" in done.out
    assert "  pytest 'my files/test_push_away.py'" in done.out
    assert "load_plugins" in (tmp_path / "my files" / "test_push_away.py").read_text()


@pytest.mark.slow
def test_both_pass_their_own_tests_and_the_linter_in_a_folder(tmp_path):
    for kind, name in (("method", "push_away"), ("task", "holiday_photographs"), ("metric", "far_away")):
        assert here("new", kind, name, "--folder", str(tmp_path)).code == 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = forks.python(tmp_path, environment, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0 and "44 passed" in done.stdout, done.stdout
    config = str(ROOT / "pyproject.toml")
    for words in (["check"], ["format", "--check"]):
        done = python(tmp_path, "-m", "ruff", *words, "--config", config, ".")
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_in_a_checkout_it_is_found_at_once(copied):
    for kind in ("method", "task"):
        done = python(copied, "-m", "mmulbench", "new", kind, "push_away", PYTHONPATH=str(copied))
        chosen = "--method push_away --task emoji" if kind == "method" else "--method mmul --task push_away"
        data = "" if kind == "method" else " --data-dir data"
        assert done.stdout.splitlines() == [
            f"wrote {kind}s/push_away.py",
            f"wrote tests/{kind}s/test_push_away.py",
            "",
            "Make it yours, then:",
            f"  mmulbench run {chosen}{data}",
            f"  mmulbench check {kind} push_away{data}",
            f"  pytest tests/{kind}s/test_push_away.py",
        ], done.stderr
    done = python(copied, "-m", "mmulbench", "new", "metric", "far_away", PYTHONPATH=str(copied))
    assert done.stdout.splitlines()[:2] == [
        "wrote mmulbench/metrics/catalogue/far_away.py",
        "wrote tests/metrics/test_far_away.py",
    ], done.stderr
    metrics = python(copied, "-m", "mmulbench", "list", "metrics", PYTHONPATH=str(copied))
    assert "far_away" in metrics.stdout
    listed = python(copied, "-m", "mmulbench", "list", "methods", PYTHONPATH=str(copied))
    assert "push_away" in listed.stdout
    text = (copied / "tests" / "methods" / "test_push_away.py").read_text()
    assert "plug" not in text and 'METHODS.get("push_away")' in text


def test_from_elsewhere_a_checkout_is_still_written_to(copied, tmp_path):
    done = python(tmp_path, "-m", "mmulbench", "new", "task", "slides", PYTHONPATH=str(copied))
    assert done.stdout.splitlines()[0] == "wrote copy/tasks/slides.py", done.stderr
    assert (copied / "tests" / "tasks" / "test_slides.py").is_file()


def test_an_installed_package_is_left_alone(copied, tmp_path):
    (copied / "pyproject.toml").unlink()
    work = tmp_path / "work"
    work.mkdir()
    done = python(work, "-m", "mmulbench", "new", "method", "push_away", PYTHONPATH=str(copied))
    assert done.stdout.splitlines()[:2] == ["wrote push_away.py", "wrote test_push_away.py"], done.stderr
    assert "--plugin push_away.py" in done.stdout
    assert sorted(path.name for path in work.iterdir()) == ["push_away.py", "test_push_away.py"]


@pytest.mark.parametrize("kind", ["method", "task", "metric"])
@pytest.mark.parametrize("name", ["Push", "push-away", "1st", "_hidden", "class", "", "../up", "naïve"])
def test_names_that_cannot_be(kind, name, tmp_path):
    done = here("new", kind, name, "--folder", str(tmp_path))
    assert done.code == 2 and f"{name!r} cannot be the name of a {kind}: use small letters" in done.err
    assert done.err.count("\n") == 1 and not [*tmp_path.iterdir()]


@pytest.mark.parametrize(("kind", "name"), [("method", "mmul"), ("task", "emoji"), ("metric", "mia")])
def test_names_that_are_taken(kind, name, tmp_path):
    done = here("new", kind, name, "--folder", str(tmp_path))
    assert done.code == 2 and f"there is a {kind} {name!r} already" in done.err
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("there", ["push_away.py", "test_push_away.py"])
def test_nothing_is_overwritten(there, tmp_path):
    (tmp_path / there).write_text("mine")
    done = here("new", "method", "push_away", "--folder", str(tmp_path))
    assert done.code == 2 and f"{tmp_path / there} exists already" in done.err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "mine")]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = here("new", "method", "push_away", "--folder", str(tmp_path / "file" / "below"))
    assert done.code == 1 and done.err.count("\n") == 1 and "--folder" in done.err


@pytest.mark.parametrize("kind", ["method", "task", "metric"])
@pytest.mark.parametrize("plugin", [True, False])
def test_no_trace_of_the_template_is_left(kind, plugin):
    for template in (f"my_{kind}.py", f"test_my_{kind}.py"):
        text = scaffold.rendered(template, "push_away", plugin=plugin)
        assert f"my_{kind}" not in text and f"My{kind.title()}" not in text
        assert scaffold.PLUGIN_LINE not in text
        compile(text, template, "exec")


def test_templates_are_short_and_register_nothing_by_being_there():
    assert len((TEMPLATES / "my_method.py").read_text().splitlines()) <= 60
    assert "my_method" not in METHODS.names() and "my_task" not in TASKS.names()
    assert "my_metric" not in METRICS.names()


@pytest.mark.parametrize("words", [("new",), ("new", "method"), ("check",), ("check", "task")])
def test_help_imports_nothing_slow(words):
    code = (
        "import sys\n"
        "from mmulbench.cli.app import main\n"
        f"code = main([*{words!r}, '--help'])\n"
        "slow = {'torch', 'numpy', 'pandas', 'transformers'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
        "sys.exit(code)"
    )
    done = python(ROOT, "-c", code)
    assert done.returncode == 0 and "Usage:" in done.stdout, done.stderr
