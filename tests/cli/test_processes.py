"""``run --processes``: the records of one process, made once; and how it ends when something goes wrong."""

from __future__ import annotations

import re
import signal
import time

import psutil
import pytest
from helpers import KINDS, ONE_EPOCH, TINY, Bench, Done, here, numbers

from mmulbench.cli.launch import check_devices
from mmulbench.errors import UsageError

TWO = ["--processes", "2"]
METHODS = ["finetune", "scrub", "retrain", "fisher"]
"""One whose loss the engine descends on, one with loops of its own, the reference, one that takes gradients
pair by pair. Every method is divided in tests/runs/test_divided_model.py."""

WORDS = ["run", *TINY, "--untuned", "-b", "stopping:tiny", "--json"]
FINETUNE = ["-m", "finetune", "--set", "finetune.epochs=2"]

ALONE = '''
"""Methods that fail, in one process of two or in both."""
import os
from datetime import timedelta
from mmulbench import processes
from mmulbench.core.method import Method
from mmulbench.core.registry import METHODS

processes.FAILURE_GRACE = timedelta(seconds=1)


@METHODS.register("failing")
class Failing(Method):
    def unlearn(self, problem):
        raise ValueError("nothing works")


@METHODS.register("alone")
class Alone(Method):
    def unlearn(self, problem):
        if os.environ["RANK"] == "1":
            raise ValueError("out of luck")
        return problem.train_from_scratch(problem.retain)


@METHODS.register("unseeded")
class Unseeded(Method):
    def unlearn(self, problem):
        model = problem.copy_of_original()
        next(model.parameters()).data += int(os.environ["RANK"])
        return model
'''


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "failing.py"
    path.write_text(ALONE)
    return str(path)


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> tuple[Bench, Done]:
    """A bench where two processes have run all these methods; tests add records and take none away."""
    bench = Bench(tmp_path_factory.mktemp("two"))
    return bench, bench.run(*WORDS, *of_methods(), *TWO)


def of_methods() -> list[str]:
    return [*FINETUNE, *named(*METHODS[1:]), "--set", "scrub.epochs=2"]


def named(*methods: str) -> list[str]:
    return [word for name in methods for word in ("-m", name)]


def test_records_are_those_of_one_process_and_failures_are_recorded_beside_them(bench, two, plugin):
    one, words = bench, [*WORDS, *of_methods()]
    alone, (two, together) = one.run(*words), two
    assert (alone.code, together.code, together.err) == (0, 0, "")
    for wanted, found in zip(alone.records, together.records, strict=True):
        assert (found.run_id, found.command) == (wanted.run_id, wanted.command)
        assert (wanted.environment.processes, found.environment.processes) == (1, 2)
        assert found.values.keys() == wanted.values.keys()
        for name, value in wanted.values.items():
            numbers = found.values[name].model_dump(exclude={"direction"})
            for field, number in value.model_dump(exclude={"direction"}).items():
                near = None if number is None else pytest.approx(number, rel=1e-3, abs=1e-4)
                assert numbers[field] == near, (found.spec.method, name, field)
    assert len(list(two.results.rglob("*.json"))) == len(METHODS)
    assert [len(two.built(kind)) for kind in KINDS] == [len(one.built(kind)) for kind in KINDS]
    assert two.leftovers() == []

    made = {path: path.stat().st_mtime_ns for path in two.results.rglob("*.json")}
    words += ["--plugin", plugin, *named("failing", "unseeded", "gradient_ascent")]
    words += ["--set", "gradient_ascent.epochs=1", "--set", "gradient_ascent.lr=1e30"]
    again = two.run(*words, *TWO)
    assert again.code == 1
    assert again.err.count("found the record of this run") == len(METHODS)
    assert again.err.count("mmulbench: seed 42: ") == again.err.count("\n") - len(METHODS) == 3
    *found_again, failing, unseeded, diverged = again.records
    assert found_again == together.records
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert (failing.status, unseeded.status, diverged.status) == ("failed", "failed", "diverged")
    assert failing.reason.startswith("ValueError: nothing works")
    assert "the processes came to different weights" in unseeded.reason
    assert len(list(two.results.rglob("*.json"))) == len(METHODS) + 3


def test_shadow_models_are_those_of_one_process(tmp_path):
    words = ["run", "-m", "finetune", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--shadows", "2", "--json"]
    one, two = Bench(tmp_path / "one"), Bench(tmp_path / "two")
    alone, together = one.run(*words), two.run(*words, *TWO)
    assert (alone.code, together.code, together.err) == (0, 0, "")
    (wanted,), (found,) = alone.records, together.records
    assert found.shadows == 2 and found.values.keys() == wanted.values.keys()
    for name in ("u_lira", "lira", "rmia"):  # ranks of models that differ little
        assert found.values[name].value == pytest.approx(wanted.values[name].value, abs=0.03)
    for kind in (*KINDS, "confidence"):
        assert len(two.built(kind)) == len(one.built(kind))
    assert len(two.built("confidence")) == 7  # of two originals, two retrains and three second ones


def members(running) -> dict[str, psutil.Process]:
    """The processes of a run, by rank."""
    children = psutil.Process(running._process.pid).children(recursive=True)
    return {child.environ()["RANK"]: child for child in children if "RANK" in child.environ()}


def test_a_killed_process_ends_the_others_and_all_go_on_in_the_middle_of_training(bench, two):
    words = [*WORDS, *FINETUNE, *TWO]
    running = bench.start(*words, stop_in="unfinished", MMULBENCH_CHECKPOINT_SECONDS="0")
    running.until(running.stopped.exists)
    found = members(running)
    found["1"].send_signal(signal.SIGKILL)
    bench.go()
    assert_ended_by_a_kill(running, found, bench)
    done = bench.run(*words)
    assert done.code == 0
    assert re.fullmatch(r"going on after step \d+ of a training that was interrupted\n", done.err), done.err
    assert numbers(done.records[0]) == numbers(two[1].records[0])


def assert_ended_by_a_kill(running, found: dict[str, psutil.Process], bench) -> None:
    done = running.wait()
    assert (done.code, done.out) == (1, "")
    assert done.err == "mmulbench: process 2 of the run was ended by SIGKILL; run the same command again\n"
    assert not list(bench.results.rglob("*.json"))
    assert not found["0"].is_running()


def test_a_killed_process_ends_one_that_waits_for_it(bench):
    words = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "stopping:tiny", "--json", *TWO]
    running = bench.start(*words, stop_in="original")
    running.until(running.stopped.exists)
    found = members(running)
    found["1"].suspend()
    bench.go()
    running.until(lambda: found["0"].status() == psutil.STATUS_SLEEPING)
    time.sleep(1)
    found["1"].send_signal(signal.SIGKILL)
    assert_ended_by_a_kill(running, found, bench)


def test_an_interruption_ends_all(bench):
    words = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "stopping:tiny", "--json", *TWO]
    running = bench.start(*words, stop_in="original")
    running.until(running.stopped.exists)
    found = members(running)
    done = running.send(signal.SIGINT)
    assert (done.code, done.out) == (130, "")
    assert done.err == "mmulbench: interrupted; what is finished is kept: run the same command to go on\n"
    assert not any(process.is_running() for process in found.values())
    assert bench.leftovers() == []


def test_a_process_that_fails_alone_ends_the_run_without_a_record(bench, plugin):
    words = ["run", "--plugin", plugin, "-m", "alone", *TINY, "-b", "albef:tiny", "--no-reference", *TWO]
    done = bench.run(*words, "--json")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("mmulbench: process 2 of 2 failed alone: ValueError: out of luck")
    assert done.err.count("\n") == 1
    assert not list(bench.results.rglob("*.json"))


def test_wrong_use_is_said_once(bench):
    done = bench.run("run", "-m", "nonsense", *TINY, *TWO)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("mmulbench: unknown method 'nonsense'")
    assert done.err.count("\n") == 1


def test_no_processes_are_refused():
    done = here("run", "-m", "mmul", *TINY, "--processes", "0")
    assert done.code == 2
    assert "--processes" in done.err


def test_slurm_is_another_way():
    done = here("run", "-m", "mmul", *TINY, *TWO, "--executor", "slurm")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "leave it out with Slurm" in done.err


def test_a_missing_package_is_named(bench):
    done = bench.run("run", "-m", "mmul", *TINY, *TWO, hidden="accelerate")
    assert done.code == 2
    assert done.err == (
        'mmulbench: --processes needs the package accelerate: run pip install "mmulbench[parallel]"\n'
    )


@pytest.mark.parametrize(
    ("processes", "device", "gpus"),
    [(2, "cuda:0", 4), (3, "auto", 2), (2, "cuda", 1), (2, "cuda", 0)],
)
def test_every_process_needs_a_device_of_its_own(processes, device, gpus):
    with pytest.raises(UsageError, match=f"--processes {processes} takes as many"):
        check_devices(processes, device, gpus)


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 1), ("auto", 0), ("auto", 2), ("cuda", 2)])
def test_devices_that_suffice(device, gpus):
    check_devices(2, device, gpus)
