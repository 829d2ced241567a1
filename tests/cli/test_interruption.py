"""Ctrl-C and kill -9 in every stage: the next run goes on from what was finished."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import pytest
from helpers import KINDS, ONE_EPOCH, TINY, Bench, numbers

WORDS = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "stopping:tiny", "--json"]


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """What a run gives that nothing interrupts."""
    return Bench(tmp_path_factory.mktemp("uninterrupted")).run(*WORDS).records[0]


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        ("data", "features"),
        ("original", "original"),
        ("retrain", "retrain"),
        ("unlearn", "outputs"),
        ("evaluate", "measurements"),
    ],
)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl_c", "kill_9"])
def test_an_interrupted_run_goes_on_from_what_was_finished(bench, wanted, stage, kind, how):
    running = bench.start(*WORDS, stop_in=kind)
    running.until(running.stopped.exists)
    done = running.send(how)
    assert done.out == ""
    if how == signal.SIGINT:
        assert done.code == 130
        assert done.err == (
            "mmulbench: interrupted; what is finished is kept: run the same command to go on\n"
        )
        assert bench.leftovers() == []
    else:
        assert done.code == -signal.SIGKILL
        assert [path.parent.name for path in bench.leftovers()] == [kind]
    assert not list(bench.results.rglob("*.json"))
    finished = {path: made for name in KINDS for path, made in bench.built(name).items()}
    assert {path.parts[-3] for path in finished} == set(KINDS[: KINDS.index(kind)])

    done = bench.run(*WORDS)
    assert (done.code, done.err) == (0, "")
    assert numbers(done.records[0]) == numbers(wanted)
    for path, made in finished.items():
        assert path.stat().st_mtime_ns == made
    assert bench.leftovers() == []


def test_what_a_kill_left_among_the_records_is_not_taken_for_one(ready, bench):
    record = ready.record()
    place = bench.results / record.relative_to(ready.results)
    place.parent.mkdir(parents=True)
    temporary = place.with_name(".tmp-1-0123456789abcdef")
    temporary.write_bytes(record.read_bytes())
    done = bench.run("leaderboard")
    assert done.code == 0
    assert "No runs yet" in done.out
    assert done.err == ""


def test_runs_that_ended_before_an_interruption_keep_their_records(bench):
    words = ["run", "-m", "original", "-m", "mmul", *TINY, "-b", "stopping:tiny", "--quiet"]
    running = bench.start(*words, stop_in="outputs")
    running.until(running.stopped.exists)
    done = running.send(signal.SIGINT)
    assert done.code == 130
    assert done.out == f"{bench.record()}\n"
    assert bench.record().parent.name == "original"


@pytest.mark.parametrize(
    ("method", "longer"), [("retrain", "recipe.epochs=4"), ("mmul", "epochs=4"), ("scrub", "epochs=4")]
)
def test_a_run_killed_in_the_middle_of_training_goes_on_there(bench, method, longer):
    *shared, _, _ = TINY
    settings = {"recipe.epochs": 1} | dict([longer.split("=")])
    words = [*shared, *(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))]
    words = ["run", "-m", method, *words, "-b", "stopping:tiny", "--json"]
    if method != "retrain":  # so that its own training is the only one left
        bench.run("run", "-m", "original", *TINY, "-b", "stopping:tiny", "--json")
    running = bench.start(*words, stop_in="unfinished", MMULBENCH_CHECKPOINT_SECONDS="0")
    running.until(running.stopped.exists)
    running.send(signal.SIGKILL)
    assert not list(bench.results.rglob(f"{method}/*.json"))

    done = bench.run(*words)
    assert done.code == 0
    assert re.fullmatch(r"going on after step \d+ of a training that was interrupted\n", done.err), done.err
    assert not any(bench.cache.glob("unfinished/*"))
    undisturbed = Bench(bench.root / "undisturbed").run(*words)
    assert undisturbed.err == ""
    assert numbers(done.records[0]) == numbers(undisturbed.records[0])


CHANGING = '''
from mmulbench.core.descent import OneSetMethod
from mmulbench.core.registry import METHODS


@METHODS.register("changing")
class Changing(OneSetMethod):
    """Descends on the retain set, times a factor."""

    reads = "retain"

    def loss(self, model, batch, problem):
        return 1.0 * model(batch).loss
'''


def install(bench, code):
    """A package of the user's own, as it is while he works on it."""
    site = bench.root / "site"
    (site / "changing-0.1.dist-info").mkdir(exist_ok=True)
    (site / "changing.py").write_text(code)
    (site / "changing-0.1.dist-info" / "METADATA").write_text("Name: changing\nVersion: 0.1\n")
    points = "[mmulbench.methods]\nchanging = changing\n"
    (site / "changing-0.1.dist-info" / "entry_points.txt").write_text(points)


def test_a_method_that_was_changed_after_a_kill_begins_again(bench):
    install(bench, CHANGING)
    settings = ["--set", "epochs=4", "--set", "patience=0"]
    words = ["run", "-m", "changing", *TINY, *settings, "-b", "stopping:tiny", "--json"]
    bench.run("run", "-m", "original", *TINY, "-b", "stopping:tiny", "--json")
    running = bench.start(*words, stop_in="unfinished", MMULBENCH_CHECKPOINT_SECONDS="0")
    running.until(running.stopped.exists)
    running.send(signal.SIGKILL)

    changed = CHANGING.replace("1.0 *", "0.5 *")
    install(bench, changed)
    done = bench.run(*words)
    assert (done.code, done.err) == (0, "")
    undisturbed = Bench(bench.root / "undisturbed")
    install(undisturbed, changed)
    assert numbers(done.records[0]) == numbers(undisturbed.run(*words).records[0])


HANGING = """
import sys, time
from mmulbench.cli import app

@app.app.command()
def hang() -> None:
    try:
        print("hangs", flush=True)
        time.sleep(60)
    finally:
        time.sleep(0.05)  # what is tidied up

sys.argv[1:] = ["hang"]
sys.exit(app.main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 0.01, 0.1])
def test_many_interruptions_end_as_one(pause):
    with subprocess.Popen(
        [sys.executable, "-c", HANGING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "hangs\n"
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(pause)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in said and said.count("interrupted") <= 1
