"""--plugin: methods, tasks and backbones of a user's own file in real runs, and what is recorded of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from pathlib import Path

import pytest
from helpers import ONE_EPOCH, TINY, Bench, here
from pages import COMMANDS
from pages import FILES as FILES_SHOWN

METHOD = '''"""Methods of mine."""
from mmulbench.core.descent import OneSetMethod
from mmulbench.core.registry import METHODS


@METHODS.register("scrubber")
class Scrubber(OneSetMethod):
    """Goes on with the retain set."""

    reads = "retain"

    def loss(self, model, batch, problem):
        return FACTOR * model(batch).loss


FACTOR = 1.0
'''
TASK = '''
from mmulbench.core.registry import TASKS
from mmulbench.tasks.emoji import Emoji


@TASKS.register("few_emoji")
class FewEmoji(Emoji):
    """The same, from a file of mine."""
'''
BACKBONE = """
from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.core.registry import BACKBONES


@BACKBONES.register("my_albef")
class Mine(AlbefBackbone):
    name = "my_albef"
"""
METRIC = """
from mmulbench import HEADLINE, METRICS, Estimate, Needs, PathMetric


@METRICS.register("mean_loss")
class MeanLoss(PathMetric):
    title = "Mean loss"
    direction = "lower"
    definition = "mean loss of the forget set"
    source = "my own"
    needs = Needs(losses=("forget",))
    chance = None

    def compute(self, observation):
        losses = observation.model.losses["forget"]
        mean, worst = float(losses.mean()), float(losses.max())
        return {HEADLINE: Estimate(mean, len(losses)), "worst": Estimate(worst, 1)}
"""
FILES = {"my_methods.py": METHOD, "my_tasks.py": TASK, "my_backbones.py": BACKBONE, "my_metrics.py": METRIC}
ORIGINAL = ["run", "-m", "original", *TINY, "-b", "albef:tiny", "--no-reference", "--json"]
SCRUBBER = ["run", "-m", "scrubber", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--no-reference", "--json"]


@pytest.fixture
def mine(bench, ready) -> Bench:
    """A bench with a filled cache and the plug-in files."""
    bench.cache = ready.cache
    for name, text in FILES.items():
        (bench.root / name).write_text(text)
    return bench


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def run(bench: Bench, *words: str, **environment: str):
    """The one record of a command that works, and the command."""
    done = bench.run(*words, **environment)
    assert done.code == 0, done.err
    (record,) = done.records
    return record, done


@pytest.mark.slow
def test_a_method_runs_and_its_record_says_from_which_code(mine):
    path = mine.root / "my_methods.py"
    record, _ = run(mine, *SCRUBBER, "--plugin", str(path))
    assert record.status == "done", record.reason
    assert record.spec.plugins == {"scrubber": digest(path)}
    assert mine.record().parent.name == "scrubber"

    again, done = run(mine, *shlex.split(record.command)[1:], "--json")
    assert f"--plugin {path}" in record.command
    assert again == record
    assert "found the record of this run" in done.err

    path.write_text(METHOD.replace("1.0", "0.5"))
    changed, _ = run(mine, *SCRUBBER, MMULBENCH_PLUGINS=str(path))
    assert changed.run_id != record.run_id
    assert changed.spec.plugins == {"scrubber": digest(path)}
    assert changed.values != record.values
    assert len([*mine.results.rglob("*.json")]) == 2

    path.unlink()
    reports_need_no_plugin(mine, [record.spec.plugins["scrubber"], changed.spec.plugins["scrubber"]])


def reports_need_no_plugin(mine: Bench, digests: list[str]) -> None:
    """Tables, plots and records of a method whose file is gone; its two versions are two rows."""
    table = mine.run("leaderboard")
    rows = re.findall(r"^\| (scrubber \(plugin \w+\)) \|", table.out, re.M)
    assert set(rows) == {f"scrubber (plugin {one[:8]})" for one in digests}
    for path in mine.results.rglob("*.json"):
        shown = mine.run("show", str(path))
        assert shown.code == 0
        assert re.search(r"^plug-ins +scrubber=\w{16} *$", shown.out, re.M), shown.out
    assert mine.run("plot", "--output", str(mine.root / "plots")).code == 0


@pytest.mark.slow
def test_the_method_of_the_readme_runs_from_any_folder(mine):
    code = FILES_SHOWN["methods/my_method.py"]
    program, *words = shlex.split(COMMANDS["plugin"])
    assert program == "mmulbench"
    path = mine.root / words[words.index("--plugin") + 1]
    path.parent.mkdir()
    path.write_text(code)
    words[words.index("--plugin") + 1] = str(path)
    record, _ = run(mine, *words, *SCRUBBER[5:])
    assert record.status == "done", record.reason
    assert record.spec.plugins == {"my_method": digest(path)}


@pytest.mark.slow
def test_a_metric_is_in_the_record_and_can_be_a_column(mine):
    path = mine.root / "my_metrics.py"
    plain, _ = run(mine, *ORIGINAL)
    record, _ = run(mine, *ORIGINAL, "--plugin", str(path))
    assert record.status == "done", record.reason
    assert record.spec.plugins == {"mean_loss": digest(path)}
    assert f"--plugin {path}" in record.command
    paths = [f"mean_loss/{path}" for path in record.histograms]
    added = set(record.values) - set(plain.values)
    assert {"mean_loss", *paths, *(f"{path}/worst" for path in paths)} == added
    assert record.values["mean_loss"].value == max(record.values[path].value for path in paths)
    assert all(record.values[name] == value for name, value in plain.values.items())

    path.unlink()  # reports need no plug-in
    (stored,) = [file for file in mine.results.rglob("*.json") if record.run_id in file.name]
    shown = mine.run("show", str(stored))
    assert shown.code == 0 and re.search(r"^ *mean_loss *\n +contrastive +\d+\.\d{3}", shown.out, re.M), (
        shown.out
    )
    table = mine.run("leaderboard", "--metric", "mean_loss", "--metric", "mia")
    assert table.code == 0, table.err
    assert f"plug-ins: mean_loss={record.spec.plugins['mean_loss']}" in table.out
    assert (
        f"| Method | {' | '.join(f'{path} ↓'.replace('/', ', ') for path in sorted(paths))} | MIA "
        in table.out
    )
    unknown = mine.run("leaderboard", "--metric", "mean_los")
    assert unknown.code == 2 and "did you mean mean_loss" in unknown.err


@pytest.mark.slow
def test_runs_without_plug_ins_are_recorded_as_before(mine):
    path = str(mine.root / "my_methods.py")
    record, done = run(mine, *ORIGINAL, "--plugin", path)
    assert record.spec.plugins == {}
    assert "plugin" not in record.command
    assert "plugins" not in json.loads(done.out)[0]["spec"]
    assert "plugins" not in json.loads(mine.record().read_text())["spec"]
    plain, done = run(mine, *ORIGINAL)
    assert plain == record


@pytest.mark.slow
def test_a_task_runs_and_is_a_table_of_its_own_when_its_file_changes(mine):
    path = mine.root / "my_tasks.py"
    words = [word if word != "emoji" else "few_emoji" for word in ORIGINAL]
    first, _ = run(mine, *words, "--plugin", str(path))
    assert first.spec.plugins == {"few_emoji": digest(path)}
    path.write_text(f"{TASK}# changed\n")
    second, _ = run(mine, *words, "--plugin", str(path))
    assert second.run_id != first.run_id
    assert second.values == first.values
    table = mine.run("leaderboard").out
    headings = re.findall(r"plug-ins: few_emoji=(\w{16})$", table, re.M)
    assert sorted(headings) == sorted(record.spec.plugins["few_emoji"] for record in (first, second))

    info = mine.run("data", "info", "few_emoji", "--plugin", str(path))
    assert info.out.startswith("few_emoji: The same, from a file of mine.")
    check = mine.run("data", "check", "few_emoji", "--plugin", str(path), "--json")
    assert json.loads(check.out)["complete"]


@pytest.mark.slow
def test_a_changed_backbone_never_finds_what_the_old_one_cached(mine):
    path = mine.root / "my_backbones.py"
    words = ["data", "prepare", "emoji", "--set", "task.limit=40", "--plugin", str(path), "--json"]
    words += ["--backbone", "my_albef:tiny"]

    def new() -> set[bool]:
        done = mine.run(*words)
        assert done.code == 0, done.err
        return {modality["new"] for modality in json.loads(done.out)["modalities"]}

    assert [new(), new()] == [{True}, {False}]
    path.write_text(f"{BACKBONE}# changed\n")
    assert new() == {False}, "a comment computes nothing"
    path.write_text(f"{BACKBONE}CHANGED = True\n")
    assert new() == {True}


@pytest.mark.slow
def test_lists_show_what_files_add(mine):
    files = [str(mine.root / name) for name in FILES]
    words = ["list", "methods", "--json", "--plugin", files[0]]
    found = {entry["name"]: entry["description"] for entry in json.loads(mine.run(*words).out)}
    assert found["scrubber"] == "Goes on with the retain set."
    assert "mmul" in found
    assert "Goes on with the retain set." in mine.run(*words[:2], "--plugin", files[0]).out
    tasks = mine.run("list", "tasks", MMULBENCH_PLUGINS=os.pathsep.join(files))
    assert "few_emoji" in tasks.out
    assert "scrubber" not in mine.run("list", "methods").out


@pytest.mark.slow
def test_an_unknown_name_is_corrected_to_the_files(mine):
    done = mine.run("run", "-m", "scruber", "-t", "emoji", "--plugin", str(mine.root / "my_methods.py"))
    assert done.code == 2
    assert done.err == "mmulbench: unknown method 'scruber'; did you mean scrubber or scrub?\n"


@pytest.mark.slow
def test_two_files_with_one_name_are_wrong_use(mine):
    other = mine.root / "other.py"
    other.write_text(METHOD)
    done = mine.run(*SCRUBBER, "--plugin", str(mine.root / "my_methods.py"), "--plugin", str(other))
    assert done.code == 2
    assert "is registered by both" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    ["run -m mmul -t emoji", "list methods", "data info emoji", "data check emoji", "data prepare emoji"],
)
def test_every_command_says_in_one_line_what_is_wrong_with_a_file(tmp_path, command):
    path = tmp_path / "gone.py"
    done = here(*command.split(), "--plugin", str(path))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"mmulbench: there is no file {path}; check --plugin and MMULBENCH_PLUGINS\n"
    path.write_text("1 / 0\n")
    done = here(*command.split(), "--plugin", str(path))
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"mmulbench: plug-in {path} cannot be loaded, line 1: ZeroDivisionError: division by zero\n"
    )
