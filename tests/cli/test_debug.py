"""Without --debug one line and a place in the user's file; with it the whole traceback, wherever it fails."""

from __future__ import annotations

import json

import pytest
from helpers import TINY, here

MINE = '''
import torch
from mmulbench import BACKBONES, HEADLINE, METHODS, METRICS, TASKS, Estimate, Needs, OneSetMethod, PathMetric
from mmulbench.backbones.albef import Albef, AlbefBackbone
from mmulbench.tasks.emoji import Emoji

WRONG = torch.zeros(2), torch.zeros(3)


@METHODS.register("bad_method")
class BadMethod(OneSetMethod):
    """Fails inside of torch."""

    reads = "retain"

    def loss(self, model, batch, problem):
        return torch.dot(*WRONG)  # of the method


@TASKS.register("bad_task")
class BadTask(Emoji):
    """Fails inside of torch."""

    def load(self, data_dir, progress):
        return torch.dot(*WRONG)  # of the task


class BadAlbef(Albef):
    def encode(self, modality, inputs):
        return torch.dot(*WRONG)  # of the backbone


@BACKBONES.register("bad_backbone")
class BadBackbone(AlbefBackbone):
    name = "bad_backbone"

    def build(self, shape=None):
        return BadAlbef(self.config)
'''

METRIC = '''
import torch
from mmulbench import METRICS, Needs, PathMetric


@METRICS.register("bad_metric")
class BadMetric(PathMetric):
    """Fails inside of torch."""

    title, direction, source, chance = "Bad", "lower", "my own", None
    definition = "nothing"
    needs = Needs(losses=("forget",))

    def compute(self, observation):
        return torch.dot(torch.zeros(2), torch.zeros(3))  # of the metric
'''

SOURCE = "return torch.dot("
INSIDE = "RuntimeError: inconsistent tensor size"


@pytest.fixture
def mine(bench):
    """Options that load the file, in the folder that the command runs in."""
    (bench.root / "mine.py").write_text(MINE)
    return ["--plugin", str(bench.root / "mine.py")]


@pytest.fixture
def metric(bench):
    (bench.root / "metric.py").write_text(METRIC)
    return ["--plugin", str(bench.root / "metric.py")]


def both(bench, *words: str):
    """The same command without and with --debug."""
    return bench.run(*words), bench.run(*words, "--debug")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "backbone", "part"),
    [("bad_method", "albef:tiny", "method"), ("original", "bad_backbone:tiny", "backbone")],
)
def test_a_run_that_fails(bench, mine, method, backbone, part):
    words = ["run", "-m", method, *TINY, "-b", backbone, "--no-reference", *mine]
    plain, debug = both(bench, *words, "--overwrite", "always")
    for done in (plain, debug):
        assert done.code == 1
        shown = " ".join(done.out.split())
        assert f"{method} failed: {INSIDE}" in shown
        assert f"of the {part}" in shown and "mine.py:" in shown
    assert "Traceback" not in plain.err + plain.out
    assert "Traceback (most recent call last):" in debug.err and f"  # of the {part}" in debug.err
    assert "runs/pipeline.py" in debug.err
    record = bench.record()
    (frame,) = json.loads(record.read_text())["trace"][-1:]
    assert frame["file"].endswith("mine.py") and frame["source"].endswith(f"# of the {part}")
    assert frame["function"] == ("loss" if part == "method" else "encode")
    shown = "".join(here("show", str(record)).out.split())  # lines are folded
    assert "Failedin:" in shown and f"in{frame['function']}:{SOURCE.replace(' ', '')}" in shown


@pytest.mark.slow
def test_a_metric_that_fails(bench, metric):
    words = ["run", "-m", "original", *TINY, "-b", "albef:tiny", "--no-reference", *metric, "--json"]
    plain, debug = both(bench, *words)
    (record,) = debug.records
    assert record.trace[-1].function == "compute" and record.trace[-1].source.endswith("# of the metric")
    assert "Traceback" not in plain.err and "of the metric" in debug.err


@pytest.mark.slow
def test_a_task_that_fails_is_one_line_with_its_place(bench, mine):
    words = ["run", "-m", "original", "--task", "bad_task", "-b", "albef:tiny", *mine]
    plain, debug = both(bench, *words)
    assert plain.code == debug.code == 1
    stage, line = plain.err.splitlines()
    assert stage == "1/5 data"
    assert "mine.py:" in line and " in load); --debug shows" in line
    assert "of the task" in debug.err and debug.err.splitlines()[-1] == line
    plain, debug = both(bench, "data", "check", "bad_task", *mine)
    assert plain.err.count("\n") == 1 and "of the task" in debug.err


@pytest.mark.slow
def test_a_check_that_fails(bench, mine):
    plain, debug = both(bench, "check", "method", "bad_method", *mine)
    assert plain.code == debug.code == 1
    assert "in loss)" in plain.out and plain.err == ""
    assert debug.err.count("  # of the method") >= 1 and "Traceback" in debug.err


@pytest.mark.slow
def test_a_trial_that_fails(bench, mine):
    words = ["tune", "-m", "bad_method", *TINY, "-b", "albef:tiny", "--trials", "1", "--seed", "1"]
    words += ["--budget", "1000", "--forget-size", "2", *mine, "--quiet"]
    tuned = ["--tuned-dir", str(bench.root / "tuned")]
    plain = bench.run(*words, *tuned)
    debug = bench.run(*words, "--tuned-dir", str(bench.root / "again"), "--debug")
    assert plain.code == debug.code == 1, plain.err
    assert "Traceback" not in plain.err and "of the method" in debug.err
    (study,) = (bench.root / "tuned").rglob("*.json")
    assert "mine.py:" in study.read_text() and "in loss)" in study.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["debug", "local"])
def test_a_step_of_a_sweep_that_fails(sweeps, mine, executor):
    words = ["-m", "bad_method", "-m", "original", *TINY, "-b", "albef:tiny", "--no-reference", *mine]
    plain = sweeps.run("sweep", *words, "--executor", executor)
    debug = sweeps.run("retry", "--failed", "--executor", executor, "--debug")
    assert plain.code == debug.code == 1, plain.err
    assert "Traceback" not in plain.err + plain.out and "mine.py:" in plain.out
    assert "Traceback" in debug.err and "  # of the method" in debug.err
    step = next(line.split()[0] for line in plain.out.splitlines() if " failed: " in line)
    log = sweeps.run("logs", step).out
    assert log.count("Traceback (most recent call last):") == 2  # of both attempts
    assert log.count("  # of the method") == 2 and "runs/pipeline.py" in log
    assert debug.err.count("Traceback (most recent call last):") == 1
