"""What README.md and docs/ show works: every command is run as it stands, and every file is used."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import forks
import numpy as np
import pytest
from helpers import here
from miniatures import write_flickr30k, write_picture
from pages import CODE, CODES, COMMAND, COMMANDS, FILE, FILES, ROOT, TEXTS, shown
from PIL import Image

from mmulbench.cli.app import main
from mmulbench.metrics.catalogue import headline_metrics, shadow_metrics

METHOD, TASK = "methods/my_method.py", "tasks/my_task.py"
METRIC = "mmulbench/metrics/catalogue/my_metric.py"

SMALL = shlex.split("--backbone albef:tiny --set recipe.epochs=1 --set epochs=1 --quiet")

ELSEWHERE = {
    "run": ".ci/run",
    "test": ".ci/run",
    "plugin": "tests/cli/test_plugin_files.py",
    "validate": "tests/cli/test_validate.py",
    "plot_figure": "tests/cli/test_plot.py",
    "compare": "tests/cli/test_compare.py",
    "deletion_run": "tests/cli/test_deletion_request.py",
    "deletion_evaluate": "tests/cli/test_deletion_request.py",
    "evaluate_record": "tests/cli/test_evaluate.py, of a record that is there",
    "deletion_export": "tests/cli/test_evaluate.py, of a record that is there",
    "relearn": "tests/runs/test_relearned.py, on a run that is there",
    "report": "tests/cli/test_report.py",
    "site": "tests/cli/test_report_output.py",
    "site_committed": "tests/records/test_published_site.py",
    "version_table": "tests/records/test_published_versions.py",
    "version_records": "tests/records/test_published_versions.py",
    "selftest": "tests/cli/test_selftest.py",
    "checkpoint": "tests/backbones/test_pretrained.py, on a checkpoint that is there",
}
"""Commands that are run by something else than this file."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the checkout, with a new method and a new task as the pages say, and data for the tasks."""
    tree = tmp_path_factory.mktemp("examples")
    for name in ("mmulbench", "methods", "tasks"):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tests" / "support", tree / "tests" / "support", ignore=ignored)
    shutil.copy(ROOT / "tests" / "conftest.py", tree / "tests")
    for command in ("new_method", "new_task", "new_metric"):
        done = follow(tree, command)
        assert done.returncode == 0, done.stderr
    write_task_data(tree / "data" / "my_task")
    write_flickr30k(tree / "data")
    (tree / "my").mkdir()
    (tree / "my" / "backbone.py").write_text(FILES["my/backbone.py"], encoding="utf-8")
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
    return forks.python(tree, environment, *words)


def follow(tree: Path, command: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a page shows it, with more words after it."""
    program, *words = shlex.split(COMMANDS[command])
    assert program in ("mmulbench", "pytest")
    return python(tree, "-m", program, *words, *more)


def record_of(tree: Path, command: str, *more: str) -> dict:
    done = follow(tree, command, *SMALL, *more)
    assert done.returncode in (0, 1), done.stderr
    return json.loads((tree / done.stdout.strip()).read_text())


@pytest.mark.parametrize("kind", [COMMAND, FILE, CODE], ids=["command", "file", "code"])
def test_what_two_pages_show_under_one_name_is_the_same(kind):
    blocks: dict[str, set[str]] = {}
    for _, name, content in shown(kind):
        blocks.setdefault(name, set()).add(content)
    assert {name for name, contents in blocks.items() if len(contents) > 1} == set()


def test_every_command_block_has_a_name():
    for page, text in TEXTS.items():
        assert text.count("```sh\n") == len(COMMAND.findall(text)), page


def test_every_command_is_run_by_a_test():
    own = Path(__file__).read_text(encoding="utf-8")
    here = {name for name in COMMANDS if re.search(rf'"{name}"[,)\]]', own)}
    assert COMMANDS.keys() - here <= ELSEWHERE.keys() <= COMMANDS.keys()


def test_the_table_is_shown():
    done = here(*shlex.split(COMMANDS["leaderboard_table"])[1:], "--results-dir", str(ROOT / "results"))
    assert done.code == 0 and "counterfactual (tuned)" in done.out, done.err


@pytest.mark.slow
@pytest.mark.parametrize("name", [METHOD, TASK, METRIC])
def test_the_examples_are_what_new_writes(name, tree):
    assert (tree / name).read_text(encoding="utf-8") == FILES[name]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["check_method", "check_task", "check_metric"])
def test_the_examples_hold_to_the_contract(command, tree):
    kind = command.removeprefix("check_")
    done = follow(tree, command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"The {kind} my_{kind} holds to the contract.\n")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["test_method", "test_task", "test_metric"])
def test_the_examples_pass_their_tests(command, tree):
    done = follow(tree, command)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout


@pytest.mark.slow
def test_the_method_example_runs(tree):
    record = record_of(tree, "method", "--set", "task.limit=60", "--no-reference")
    assert record["status"] == "done", record["reason"]
    assert record["spec"]["method"] == "my_method"
    assert record["spec"]["config"] == {
        "epochs": 1,
        "lr": 3e-4,
        "batch_size": 0,
        "patience": 0,
        "weight": 0.2,
    }
    assert record["cost"]["steps"] > 0


@pytest.mark.slow
def test_the_logged_example_runs(tree):
    record = record_of(tree, "logger", "--set", "task.limit=60", "--no-reference")
    assert record["status"] == "done", record["reason"]
    (log,) = (tree / "logged" / "csv").iterdir()
    assert log.stem == f"emoji-mmul-42-{record['run_id']}" and "unlearn,1,loss," in log.read_text()


@pytest.mark.slow
def test_the_quick_example_runs_as_it_stands_and_reports_are_made_of_it(tree):
    done = follow(tree, "quick", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads((tree / done.stdout.strip()).read_text())["status"] == "done"
    for command, output in (("leaderboard", "leaderboard.md"), ("plot", "plots")):
        done = follow(tree, command)
        assert done.returncode == 0, done.stderr
        assert (tree / output).exists()
    paper = follow(tree, "leaderboard_paper").stdout
    assert paper.startswith("# MMUL by its paper's protocol\n")


@pytest.mark.slow
def test_the_shadow_example_runs(tree):
    record = record_of(tree, "shadows", "--set", "task.limit=60", "--shadows", "2")
    assert (record["status"], record["shadows"]) == ("done", 2), record["reason"]
    given = {metric.name for metric in shadow_metrics() if record["values"][metric.name]["value"] is not None}
    assert given == {"u_lira", "lira", "rmia"}  # klom takes more models


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


@pytest.mark.slow
def test_the_example_of_a_table_runs(tree):
    rows = ["image,caption,person"]
    (tree / "photos").mkdir()
    for number in range(60):
        miniature = tree / "photos" / f"{number:03d}.png"
        write_picture(miniature, number)
        rows.append(f"photos/{miniature.name},picture {number},{f'p{number // 4}' if number < 40 else ''}")
    (tree / "photos.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = follow(tree, "check_pairs")
    assert done.returncode == 0, done.stderr
    assert "splits are drawn" in done.stderr and "All is there." in done.stdout
    record = record_of(tree, "pairs")
    assert (record["status"], record["spec"]["forget_size"]) == ("done", 3), record["reason"]
    assert record["spec"]["task_config"]["unit"] == "person"


@pytest.mark.slow
def test_the_tuning_example_runs(tree):
    done = follow(tree, "tune", *SMALL, "--set", "task.limit=100", "--trials", "1", "--budget", "10")
    assert done.returncode == 0, done.stderr
    assert (tree / "tuned" / "emoji" / "albef-tiny" / "my_method.json").is_file()


@pytest.mark.slow
def test_the_lists_and_the_data_are_shown(tree):
    assert "my_method" in follow(tree, "list").stdout
    assert "Karpathy" in follow(tree, "data_info").stdout
    done = follow(tree, "data_check")
    assert done.returncode == 1  # a miniature is short of the published sizes
    assert "of 29,000 images" in " ".join((done.stdout + done.stderr).split())


@pytest.mark.slow
def test_the_data_is_prepared_and_a_run_divided(tree):
    done = follow(tree, "data_prepare", "--backbone", "albef:tiny")
    assert done.returncode == 0, done.stderr
    record = record_of(tree, "processes", "--processes", "2", "--device", "cpu", "--no-reference")
    assert (record["status"], record["environment"]["processes"]) == ("done", 2), record["reason"]


@pytest.mark.slow
def test_the_backbone_example_holds_to_the_contract_and_runs(tree):
    done = follow(tree, "check_backbone")
    assert done.returncode == 0, done.stdout + done.stderr
    done = follow(
        tree, "backbone", "--set", "recipe.epochs=1", "--set", "epochs=1", "--no-reference", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tree / done.stdout.strip()).read_text())["status"] == "done"


@pytest.mark.slow
def test_the_metric_example_is_computed(tree):
    record = record_of(tree, "metric", "--set", "task.limit=60")
    assert record["values"]["my_metric"]["retrain"] is not None, record["reason"]
    table = follow(tree, "leaderboard_metric")
    columns = [f"Above test median, {path} →retrain" for path in ("contrastive", "matching")]
    assert f"| Method | {' | '.join(columns)} | Test utility ≥retrain |" in table.stdout, table.stderr


@pytest.mark.slow
def test_the_python_examples_run_one_after_the_other(tree):
    done = python(
        tree,
        "-c",
        "\n".join(
            CODES[name] for name in ("run", "evaluate", "records", "units", "rankings", "reports", "names")
        ),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("done ")


def test_the_example_of_a_control_prints_what_the_page_says():
    done = python(ROOT, "-c", CODES["control"])
    assert done.returncode == 0, done.stderr
    assert f"```text\n{done.stdout}```" in TEXTS["docs/concepts/shadow-models.md"]


@pytest.mark.slow
def test_the_worked_example_prints_what_the_page_says():
    done = python(ROOT, "-c", CODES["numbers"])
    assert done.returncode == 0, done.stderr
    assert f"```text\n{done.stdout}```" in TEXTS["docs/concepts/numbers.md"]
    parts = re.findall(r"^(?:test|retain|forget|mia/contrastive) (\.\d+|0\.\d+)$", done.stdout, re.M)
    said = f"({' + '.join(part.removeprefix('0') for part in parts)}) / 4"
    assert said in TEXTS["docs/concepts/numbers.md"]


def test_every_python_block_is_a_file_or_run():
    own = {"compare": "tests/cli/test_compare.py"}
    run = {"run", "evaluate", "records", "units", "rankings", "reports", "names", "control", "numbers"}
    assert set(CODES) - set(own) == run
    for page, text in TEXTS.items():
        shown_code = text.count("```python\n")
        files = len(re.findall(r"^<!-- file: \S+\.py -->$", text, re.M))
        assert shown_code == files + len(CODE.findall(text)), page


@pytest.mark.slow
def test_the_examples_pass_the_linter(tree):
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "methods", "tasks", "tests", "my"]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_sweep_example_has_the_plan_that_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "sweep.yaml").write_text(FILES["sweep.yaml"])
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(COMMANDS["plan"])[1:]) == 0
    counts = capsys.readouterr().out.splitlines()[-1].partition(";")[0]
    assert f"It lists {counts}: what runs share is made once" in TEXTS["docs/tutorials/sweeps.md"]
    for command in ("sweep", "sweep_options", "sweep_only"):
        capsys.readouterr()
        assert main([*shlex.split(COMMANDS[command])[1:], "--dry-run"]) == 0
    listed = capsys.readouterr().out
    assert "on hpo_pgr, seed 43" in listed and not re.search("emoji|seed 44", listed)


@pytest.mark.parametrize("name", ["install_tune", "install_slurm", "install_parallel", "install_hub"])
def test_extras_to_install_exist(name):
    extra = name.removeprefix("install_")
    assert COMMANDS[name] == f'pip install "mmulbench[{extra}]"'
    assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
