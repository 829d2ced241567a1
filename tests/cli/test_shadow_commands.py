"""`--shadows` on the command line: in one run, in a sweep, and after a kill."""

from __future__ import annotations

import json
import signal
from collections import Counter

import pytest
from helpers import TINY, Bench, here, numbers

ONE = ["-m", "mmul", *TINY, "--set", "mmul.epochs=1"]
SHADOWS = ["--shadows", "2"]
POPULATION = {"u_lira", "lira", "rmia", "klom"}


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """What one `run` gives that nothing interrupts."""
    bench = Bench(tmp_path_factory.mktemp("run"))
    done = bench.run("run", *ONE, "-b", "stopping:tiny", *SHADOWS, "--json")
    assert (done.code, done.err) == (0, "")
    assert confidences(bench) == 7  # of two originals, two retrains and three second ones
    return done.records[0]


def confidences(bench) -> int:
    """Of how many models it is known how sure they are."""
    return len(bench.built("confidence"))


def test_a_run_says_what_its_shadow_models_tell(wanted):
    assert wanted.shadows == 2
    assert wanted.values.keys() >= POPULATION
    assert wanted.command.endswith(" --untuned --shadows 2")


@pytest.mark.parametrize("command", ["run", "sweep"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shadows", "1"], "--shadows 1 is too few to know a spread from: at least 2"),
        ([*SHADOWS, "--no-reference"], "--shadows compares with retrained models: leave out --no-reference"),
        (["--shadows", "-1"], "Invalid value for '--shadows'"),
    ],
)
def test_wrong_use(command, words, message, tmp_path):
    done = here(command, "-m", "mmul", "-t", "emoji", "--cache-dir", str(tmp_path / "cache"), *words)
    assert done.code == 2
    assert message in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_makes_what_shadow_models_share_first_and_once(sweeps, wanted):
    words = ["sweep", *ONE, "-m", "retrain", "-b", "stopping:tiny", *SHADOWS]
    planned = json.loads(sweeps.run(*words, "--dry-run", "--json").out)["steps"]
    assert Counter(step["kind"] for step in planned) == {
        "original": 3,
        "retrain": 3,
        "second_retrain": 3,
        "shadow": 2,
        "run": 2,
    }
    assert sweeps.start(*words, "-w", "2").wait().code == 0
    assert sweeps.counts == {"done": 13}
    found = {record.spec.method: record for record in sweeps.records()}
    assert numbers(found["mmul"]) == numbers(wanted)
    assert found["mmul"].missing == wanted.missing
    again = found["retrain"].values["u_lira/matching"]
    assert again.value == again.retrain == wanted.values["u_lira/matching"].retrain
    assert {kind: len(sweeps.bench.built(kind)) for kind in ("original", "retrain", "confidence")} == {
        "original": 3,
        "retrain": 6,
        "confidence": 7,
    }


def test_for_a_run_that_has_its_record_no_shadow_model_unlearns_again(sweeps):
    alone = ["-b", "albef:tiny", *SHADOWS, "--executor", "debug"]
    assert sweeps.run("sweep", *ONE, *alone).code == 0
    made = sweeps.bench.record().stat().st_mtime_ns
    more = [*ONE, "-m", "finetune", "--set", "finetune.epochs=1"]
    assert sweeps.run("sweep", *more, *alone).code == 0
    assert next(sweeps.bench.results.rglob("mmul/*.json")).stat().st_mtime_ns == made
    assert len(list(sweeps.bench.results.rglob("*.json"))) == 2
    assert confidences(sweeps.bench) == 7


def test_a_run_killed_among_its_shadow_models_goes_on_to_the_same_values(bench, wanted):
    words = ["run", *ONE, "-b", "stopping:tiny", *SHADOWS, "--json"]
    running = bench.start(*words, stop_in="confidence")
    running.until(running.stopped.exists)
    assert running.send(signal.SIGKILL).code == -signal.SIGKILL
    assert "confidence" in {path.parent.name for path in bench.leftovers()}
    done = bench.run(*words)
    assert done.code == 0, done.err
    assert numbers(done.records[0]) == numbers(wanted)
    assert confidences(bench) == 7
    assert bench.leftovers() == []
