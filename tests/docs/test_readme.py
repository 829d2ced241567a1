"""What README.md says is true: its examples run, its options exist, its links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from mmulbench.cli.app import app, main
from mmulbench.core.registry import BACKBONES, METHODS, TASKS
from mmulbench.metrics.catalogue import headline_metrics, shadow_metrics
from mmulbench.report.verdict import AUC_FACTOR, UTILITY_TOLERANCE, tolerance

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

COMMANDS = dict(re.findall(r"^<!-- command: (\w+) -->\n```sh\n(.*?)\n```$", README, re.M | re.S))
FILES = dict(re.findall(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", README, re.M | re.S))
METHOD, TASK = "methods/my_method.py", "tasks/my_task.py"

SMALL = shlex.split("--backbone albef:tiny --set recipe.epochs=1 --set epochs=1 --quiet")


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the checkout, with a new method and a new task as README says, and data for the task."""
    tree = tmp_path_factory.mktemp("readme")
    for name in ("mmulbench", "methods", "tasks"):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    (tree / "tests" / "support").mkdir(parents=True)
    for name in ("conftest.py", "support/sets_of_tests.py"):
        shutil.copy(ROOT / "tests" / name, tree / "tests" / name)
    for command in ("new_method", "new_task"):
        done = follow(tree, command)
        assert done.returncode == 0, done.stderr
    write_task_data(tree / "data" / "my_task")
    return tree


def write_task_data(folder: Path) -> None:
    """Forty noise images with two captions each, the sizes and modes all different."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ["image\tcaption\tsplit"]
    for index in range(40):
        pixels = rng.integers(0, 256, (20 + index, 30, 3), dtype=np.uint8)
        image = Image.fromarray(pixels)
        (image.convert("L") if index % 2 else image).save(folder / f"{index}.png")
        split = ("train", "train", "train", "validation", "test")[index % 5]
        lines += [f"{index}.png\tpicture number {index}\t{split}", f"{index}.png\t{index} again\t{split}"]
    (folder / "captions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def mmulbench(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return python(tree, "-m", "mmulbench", *words)


def python(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "MMULBENCH_RESULTS": str(tree / "results"),
        "MMULBENCH_CACHE": str(tree / "cache"),
    }
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def follow(tree: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of README as it stands there."""
    program, *words = shlex.split(COMMANDS[command])
    assert program in ("mmulbench", "pytest")
    return python(tree, "-m", program, *words)


def record_of(tree: Path, command: str, *more: str) -> dict:
    program, *words = shlex.split(COMMANDS[command])
    assert program == "mmulbench"
    done = mmulbench(tree, *words, *SMALL, *more)
    assert done.returncode in (0, 1), done.stderr
    return json.loads((tree / done.stdout.strip()).read_text())


@pytest.mark.parametrize("name", [METHOD, TASK])
def test_the_examples_are_what_new_writes(name, tree):
    assert (tree / name).read_text(encoding="utf-8") == FILES[name]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["method", "task"])
def test_the_examples_hold_to_the_contract(kind, tree):
    done = follow(tree, f"check_{kind}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"The {kind} my_{kind} holds to the contract.\n")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["method", "task"])
def test_the_examples_pass_their_tests(kind, tree):
    assert COMMANDS[f"test_{kind}"] == f"pytest tests/{kind}s/test_my_{kind}.py"
    done = follow(tree, f"test_{kind}")
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_the_method_example_runs(tree):
    record = record_of(tree, "method", "--set", "task.limit=60", "--no-reference")
    assert record["status"] == "done", record["reason"]
    assert record["spec"]["method"] == "my_method"
    assert record["spec"]["config"] == {
        "epochs": 1,
        "lr": 3e-4,
        "batch_size": 64,
        "patience": 0,
        "weight": 0.2,
    }
    assert record["cost"]["steps"] > 0


@pytest.mark.slow
def test_the_shadow_example_runs(tree):
    record = record_of(tree, "shadows", "--set", "task.limit=60", "--shadows", "2")
    assert (record["status"], record["shadows"]) == ("done", 2), record["reason"]
    assert all(record["values"][metric.name]["value"] is not None for metric in shadow_metrics())


@pytest.mark.slow
def test_the_task_example_runs(tree):
    record = record_of(tree, "task", "--forget-size", "3")
    assert record["status"] == "done", record["reason"]
    assert record["spec"]["task"] == "my_task"
    assert record["values"]["forget_vs_retain_auc"]["n"] == 48
    assert all(record["values"][metric.name]["value"] is not None for metric in headline_metrics())


@pytest.mark.slow
def test_the_task_example_says_what_is_missing(tree):
    done = mmulbench(tree, "run", "-m", "mmul", "-t", "my_task", "--data-dir", "nowhere")
    assert done.returncode == 2
    assert str(Path("nowhere/my_task/captions.tsv")) in done.stderr


def test_the_examples_pass_the_linter(tree):
    for words in (["check"], ["format", "--check"]):
        done = python(tree, "-m", "ruff", *words, "methods", "tasks", "tests")
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_an_outside_package_adds_both(tmp_path):
    source, site = tmp_path / "source", tmp_path / "site"
    package = source / "my_package"
    package.mkdir(parents=True)
    (source / "pyproject.toml").write_text(FILES["pyproject.toml"])
    (package / "__init__.py").touch()
    for name in (METHOD, TASK):
        (package / Path(name).name).write_text(FILES[name], encoding="utf-8")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "--target", str(site), str(source)]
    subprocess.run(command, check=True, timeout=120)
    code = (
        "from mmulbench.core.registry import METHODS, TASKS\n"
        "print(METHODS.get('my_method').__module__, TASKS.get('my_task').__module__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["my_package.my_method", "my_package.my_task"], done.stderr


def test_the_sweep_example_has_the_plan_that_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "sweep.yaml").write_text(FILES["sweep.yaml"])
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(COMMANDS["plan"])[1:]) == 0
    counts = capsys.readouterr().out.splitlines()[-1].partition(";")[0]
    assert f"It lists {counts}: what runs share is made once" in README
    assert main([*shlex.split(COMMANDS["sweep"])[1:], "--dry-run"]) == 0


def test_two_setup_commands_of_one_line():
    starts = [line for line in README.splitlines() if "venv" in line and line.startswith("python3")]
    assert starts == [COMMANDS["run"], COMMANDS["test"]]
    install, _, last = COMMANDS["run"].rpartition(" && ")
    assert last == "mmulbench run --method mmul --task emoji --results-dir my-results"
    assert '-c constraints.txt -e ".[offline]"' in install
    install, _, last = COMMANDS["test"].rpartition(" && ")
    assert last == 'pytest -m ""'
    assert '-c constraints.txt -e ".[offline,hub,tune,slurm,parallel,test,dev]"' in install


def sections() -> dict[str, str]:
    """README's text on each command."""
    parts = re.split(r"^#{2,3} (.*)$", README, flags=re.M)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {
        name.strip("`").partition(" ")[2]: text
        for name, text in found.items()
        if name.startswith("`mmulbench ")
    }


def all_commands() -> dict:
    """Commands by name; those of a group as ``group command``."""
    found = {}
    for name, command in typer.main.get_command(app).commands.items():
        inner = getattr(command, "commands", None)
        found |= {f"{name} {key}": value for key, value in inner.items()} if inner else {name: command}
    return found


def options(command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts if option.startswith("-")}


def test_every_command_and_option_is_documented_and_exists():
    commands = all_commands()
    assert set(sections()) == set(commands)
    for name, text in sections().items():
        documented = set(re.findall(r"`(--?[a-z-]+)`", text))
        assert documented == options(commands[name]) - {"--help", "-h"}, name


def test_every_mmulbench_command_line_parses():
    commands = all_commands()
    lines = [*COMMANDS.values(), *re.findall(r"`(mmulbench [^`]+)`", README)]
    for line in lines:
        words = shlex.split(line.rpartition("&& ")[2])
        if words[0] == "mmulbench" and not words[1].startswith("-"):
            given = {word for word in words[2:] if word.startswith("-")}
            name = words[1] if words[1] in commands else " ".join(words[1:3])
            assert given <= options(commands[name]), line


def test_every_metric_is_explained():
    rows = re.findall(r"^\| `(\w+)` \|", README.partition("## Reading the result")[2], re.M)
    metrics = [metric.name for metric in (*headline_metrics(), *shadow_metrics())]
    assert rows[: len(metrics)] == metrics


def test_what_is_said_to_be_there_is_there():
    text = README.partition("## What is there")[2].partition("\n## ")[0]
    names = set(re.findall(r"`([a-z0-9_]+)`", text))
    official = {"flickr30k", "coco", "snli_ve", "nlvr2", "pgr", "gdpr"}
    methods = {name for name in METHODS.names() if f"`{name}`" in text}
    assert f"There are {len(METHODS.names()) - 2} unlearning methods" in text
    offline = {"emoji", "flags", "emoji_nlvr", "flags_ve", "hpo_pgr", "hpo_gdpr"}
    assert names == {*offline, *official, *methods}
    assert names <= {*TASKS.names(), *METHODS.names()}


def test_all_backbones_are_described_with_their_variants():
    text = README.partition("\n## Backbones")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\|([^|]+)\|$", text, re.M))
    assert set(rows) == set(BACKBONES.names())
    for name, variants in rows.items():
        assert re.findall(r"`([\w-]+)`", variants) == list(BACKBONES.get(name).variants), name


def test_the_verdict_rule_has_the_tolerances_of_the_code():
    rule = README.partition("**The verdict**")[2].partition("\n## ")[0]
    large, small = tolerance(200), tolerance(68)
    assert f"within {large:.2f} of retrain's and its AUC within {AUC_FACTOR * large:.2f}" in rule
    assert f"with 68 units {small:.2f} and {AUC_FACTOR * small:.2f}" in rule
    assert f"more than {100 * UTILITY_TOLERANCE:.0f} points below" in rule


def test_the_environment_variables_are_those_that_are_read():
    read = re.findall(r'"(MMULBENCH_\w+)"', (ROOT / "mmulbench" / "settings.py").read_text())
    assert set(re.findall(r"MMULBENCH_\w+", README)) == set(read) != set()


def test_links_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith(("https://", "#"))]
    assert {"LICENSE", "CITATION.cff", "leaderboard.md"} <= set(links)
    assert [link for link in links if not (ROOT / link).exists()] == []
    headings = re.findall(r"^#+ (.*)$", README, re.M)
    titles = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= titles
