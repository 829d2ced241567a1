"""Sweeps in real processes: every record once, whatever fails, dies, is cut off or is started twice."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest
from helpers import numbers

from mmulbench.records.store import ResultsStore

TASK = ["-t", "emoji", "--set", "task.limit=40", "--set", "recipe.epochs=1", "--device", "cpu"]
ONE = ["-m", "mmul", "--set", "mmul.epochs=1", *TASK]
TWO = ["-m", "finetune", "--set", "finetune.epochs=1", *ONE]
DEBUG = ["--executor", "debug", "--json"]

BAD = '''
import os, signal
from pathlib import Path
from mmulbench.core.descent import OneSetMethod
from mmulbench.core.registry import METHODS


def bad(name, misbehave):
    class Bad(OneSetMethod):
        """Misbehaves until the file WELL is there."""

        reads = "retain"

        def loss(self, model, batch, problem):
            factor = 1.0 if Path(os.environ["WELL"]).exists() else misbehave()
            return factor * model(batch).loss

    METHODS.register(name)(Bad)


def fail():
    raise ValueError("oh no")


bad("well_behaved", lambda: 1.0)
bad("raises", fail)
bad("diverges", lambda: float("nan"))
bad("dies", lambda: os.kill(os.getpid(), signal.SIGKILL))
'''


@pytest.fixture
def warm(sweeps, ready):
    """Sweeps with a cache that has the original, retrain and more of albef:tiny with seed 42."""
    sweeps.bench.cache = ready.cache
    return sweeps


def test_every_run_is_recorded_once_with_the_values_of_run(warm, ready):
    words = ["sweep", *TWO, "-b", "albef:tiny", *DEBUG]
    done = warm.run(*words)
    assert done.code == 0, done.err
    assert json.loads(done.out)["counts"] == {"done": 4} == warm.counts
    by_method = {record.spec.method: record for record in warm.records()}
    assert set(by_method) == {"mmul", "finetune"}
    (wanted,) = ResultsStore(ready.results).load_all()[0]
    assert by_method["mmul"].run_id == wanted.run_id
    assert numbers(by_method["mmul"]) == numbers(wanted)

    path = next(warm.bench.results.rglob("mmul/*.json"))
    written = path.stat().st_mtime_ns
    next(warm.bench.results.rglob("finetune/*.json")).unlink()
    again = warm.run(*words)
    assert again.code == 0
    assert ", which was started before: 4 steps" in again.err
    assert warm.statuses() == {"mmul": "done", "finetune": "done"}
    assert path.stat().st_mtime_ns == written
    attempts = [json.loads(one.read_text())["attempts"] for one in warm.folder.glob("*/state/*.json")]
    assert sorted(attempts) == [1, 1, 1, 2]

    (mmul,) = (
        name for name, step in warm.steps.items() if step["job"]["method"] == "mmul" and step["kind"] == "run"
    )
    logs = warm.here("logs", mmul[:6])
    assert logs.code == 0
    assert "begins, attempt 1: mmul on emoji, albef:tiny, seed 42, mmul.epochs=1" in logs.out
    assert logs.out.endswith(" done\n")


def test_what_goes_wrong_costs_its_own_record_and_can_be_retried(warm, tmp_path):
    plugin = tmp_path / "bad.py"
    plugin.write_text(BAD)
    methods = ["raises", "diverges", "dies", "well_behaved"]
    words = [word for name in methods for word in ("-m", name, "--set", f"{name}.epochs=1")]
    well = tmp_path / "well"
    words = ["sweep", *words, *TASK, "-b", "albef:tiny", "--plugin", str(plugin), "-w", "2"]
    running = warm.start(*words, WELL=str(well))
    running.until(lambda: "see mmulbench status" in running.err)
    warm.until_over()
    done = running.wait()
    assert done.code == 1
    assert done.out.splitlines()[-1].endswith(" shows more; mmulbench retry does them again")
    found = {record.spec.method: record for record in warm.records()}
    assert {name: record.status for name, record in found.items()} == {
        "raises": "failed",
        "diverges": "diverged",
        "dies": "failed",
        "well_behaved": "done",
    }
    killed = "its worker was ended by SIGKILL, which is also what happens when memory runs out"
    assert found["dies"].reason == killed
    assert found["raises"].reason.startswith("ValueError: oh no")
    assert f"seed 42, dies.epochs=1, task.limit=40, recipe.epochs=1: {killed}" in done.out
    assert warm.counts == {"done": 3, "failed": 2, "diverged": 1}

    missing = warm.run("retry", "--only-missing", *DEBUG, WELL=str(well))
    assert missing.code == 1
    assert warm.counts == {"done": 3, "failed": 2, "diverged": 1}

    well.touch()
    started = warm.run("retry", "--detach", WELL=str(well))
    assert (started.code, started.out) == (0, "")
    assert "the workers are started; this terminal may be closed" in started.err
    warm.until_over()
    assert warm.counts == {"done": 6}
    assert set(warm.statuses().values()) == {"done"}
    assert {record.run_id for record in warm.records()} == {record.run_id for record in found.values()}


def test_failures_alone_can_be_retried(warm, tmp_path):
    plugin, well = tmp_path / "bad.py", tmp_path / "well"
    plugin.write_text(BAD)
    words = ["sweep", "-m", "raises", "--set", "raises.epochs=1", *ONE, "-b", "albef:tiny"]
    assert warm.run(*words, "--plugin", str(plugin), *DEBUG, WELL=str(well)).code == 1
    assert warm.statuses() == {"raises": "failed", "mmul": "done"}
    next(warm.bench.results.rglob("mmul/*.json")).unlink()
    well.touch()
    done = warm.run("retry", "--failed", *DEBUG, WELL=str(well))
    assert done.code == 0, done.err
    assert warm.statuses() == {"raises": "done"}
    assert warm.run("retry", "--failed", *DEBUG, WELL=str(well)).code == 0  # there is nothing
    assert warm.statuses() == {"raises": "done"}
    assert warm.run("retry", "--only-missing", *DEBUG, WELL=str(well)).code == 0
    assert warm.statuses() == {"raises": "done", "mmul": "done"}
    both = warm.here("retry", "--failed", "--only-missing")
    assert both.code == 2 and "without both, retry does both" in both.err


def test_ctrl_c_ends_the_workers_and_a_killed_command_leaves_them(sweeps):
    words = ["sweep", *ONE, "-b", "stopping:tiny"]
    first = sweeps.start(*words, stop_in="original")
    first.until(first.stopped.exists)
    done = first.send(signal.SIGINT)
    assert done.code == 130
    assert "interrupted; what is finished is kept: run the same command to go on" in done.err
    assert sweeps.counts == {"queued": 3}
    assert not json.loads(sweeps.here("status", "--json").out)["attended"]
    assert "nobody works on it; mmulbench retry goes on with it" in sweeps.here("status").out
    assert list(sweeps.bench.results.rglob("*.json")) == []

    second = sweeps.start(*words, stop_in="original")
    second.until(second.stopped.exists)
    assert second.send(signal.SIGKILL).code == -signal.SIGKILL
    status = json.loads(sweeps.here("status", "--json").out)
    assert status["counts"] == {"running": 1, "queued": 2} and status["attended"]
    sweeps.bench.go()
    sweeps.until_over()
    assert sweeps.counts == {"done": 3}
    assert sweeps.statuses() == {"mmul": "done"}
    assert len(sweeps.bench.built("original")) == 1


def test_two_sweeps_at_once_share_what_both_need(sweeps):
    first = sweeps.start("sweep", *ONE, "-b", "stopping:tiny", *DEBUG, stop_in="original")
    first.until(first.stopped.exists)
    second = sweeps.start("sweep", *TWO, "-b", "stopping:tiny", *DEBUG, stop_in="original")

    def waits():
        return any("waiting for process " in path.read_text() for path in sweeps.folder.glob("*/logs/*"))

    second.until(waits)
    sweeps.bench.go()
    assert [one.wait().code for one in (first, second)] == [0, 0]
    assert not second.stopped.exists()  # it never computed what the first was building
    assert len(sweeps.bench.built("original")) == len(sweeps.bench.built("retrain")) == 1
    assert sweeps.statuses() == {"mmul": "done", "finetune": "done"}


def test_the_same_sweep_twice_at_once(sweeps):
    words = ["sweep", *TWO, "-b", "stopping:tiny", *DEBUG]
    first = sweeps.start(*words, stop_in="original")
    first.until(first.stopped.exists)
    second = sweeps.start(*words, stop_in="original")
    second.until(lambda: "which was started before" in second.err)
    sweeps.bench.go()
    done = [one.wait() for one in (first, second)]
    assert [one.code for one in done] == [0, 0], done
    assert sweeps.statuses() == {"mmul": "done", "finetune": "done"}
    logs = [path.read_text() for path in sweeps.folder.glob("*/logs/*.log")]
    assert [log.count(" begins, attempt ") for log in logs] == [1] * 4


def test_a_cancelled_sweep_starts_nothing_more_until_it_is_retried(sweeps):
    running = sweeps.start("sweep", *TWO, "-b", "stopping:tiny", *DEBUG, stop_in="original")
    running.until(running.stopped.exists)
    assert sweeps.here("cancel").code == 0
    sweeps.bench.go()
    assert running.wait().code == 1
    assert sweeps.counts == {"done": 1, "cancelled": 3}
    assert "it was cancelled; mmulbench retry goes on with it" in sweeps.here("status").out
    assert sweeps.records() == []
    assert sweeps.run("retry", *DEBUG).code == 0
    assert sweeps.counts == {"done": 4}
    assert sweeps.statuses() == {"mmul": "done", "finetune": "done"}


def test_a_full_disk_costs_records_that_retry_makes(warm):
    words = ["sweep", "-m", "mmul", "-m", "original", "--set", "mmul.epochs=1", *TASK, "-b", "albef:tiny"]
    assert warm.run(*words, *DEBUG).code == 0
    smallest = min(path.stat().st_size for path in warm.bench.results.rglob("*.json"))
    before = {path: path.read_bytes() for path in warm.bench.results.rglob("*.json")}
    again = warm.run(*words, "--overwrite", "always", *DEBUG, file_bytes=smallest * 3 // 4)
    assert again.code == 1
    trouble = json.loads(again.out)["trouble"]
    assert len(trouble) == 2
    for one in trouble:
        assert one["status"] == "failed"
        assert one["reason"].startswith(f"cannot write {warm.bench.results}")
        assert "File too large; free space or choose another folder with --results-dir" in one["reason"]
        assert f"failed: {one['reason']}\n" in warm.here("logs", one["id"]).out
    assert {path: path.read_bytes() for path in warm.bench.results.rglob("*.json")} == before
    assert warm.run("retry", "--only-missing", *DEBUG).code == 0
    assert Counter(warm.statuses().values()) == {"done": 2}
    assert all(path.read_bytes() != old for path, old in before.items())


def test_a_dry_run_prints_the_steps_and_writes_nothing(sweeps, monkeypatch, tmp_path):
    monkeypatch.setenv("MMULBENCH_RESULTS", str(tmp_path / "results"))
    done = sweeps.here("sweep", *TWO, "-b", "albef:tiny", "-s", "1", "-s", "2", "--dry-run")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert len(lines) == 9
    assert (
        lines[0][14:]
        == "original        original on emoji, albef:tiny, seed 1, task.limit=40, recipe.epochs=1"
    )
    assert lines[-1] == "2 originals, 2 retrains, 4 runs; no earlier records to estimate the time from"
    assert not sweeps.folder.exists() and not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["-m", "mmull", "-t", "emoji"],
            "mmull on emoji, seed 42: unknown method 'mmull'; did you mean mmul?",
        ),
        (["-m", "mmul", "-t", "emojy"], "mmul on emojy, seed 42: unknown task 'emojy'; did you mean emoji"),
        ([*ONE, "-b", "albef:tinny"], "mmul on emoji, albef:tinny, seed 42"),
        (
            [*ONE, "--set", "mmul.rl=1"],
            "mmul.rl=1: --set rl: method mmul has no such setting; did you mean lr?",
        ),
        ([*ONE, "--forget-size", "many"], "forget size many, mmul.epochs=1"),
        ([*ONE, "-s", "-1"], "sweep: seed.0: input should be greater than or equal to 0"),
        (["-m", "mmul"], "the sweep has no runs: name at least one task and one method"),
        ([*ONE, "--executor", "debug", "--timeout", "5"], "--timeout needs --executor local"),
        ([*ONE, "--executor", "debug", "-w", "2"], "--workers needs --executor local"),
        (["nowhere.yaml"], "there is no sweep file nowhere.yaml"),
    ],
)
def test_wrong_use_is_one_line_and_starts_nothing(words, message, sweeps):
    done = sweeps.here("sweep", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("mmulbench: ") and done.err.count("\n") == 1
    assert message in done.err
    assert not sweeps.folder.exists()


def test_what_is_not_there_is_said(sweeps, tmp_path):
    for command in (["status"], ["retry"], ["cancel"], ["logs", "abc"]):
        done = sweeps.here(*command)
        assert done.code == 2 and "there are no sweeps in" in done.err
    (tmp_path / "file").touch()
    for option in ("--results-dir", "--cache-dir"):
        done = sweeps.here("sweep", *ONE, option, str(tmp_path / "file"))
        assert done.code == 1
        assert f"{tmp_path / 'file'}: File exists; choose another folder with {option}" in done.err
        assert not list(sweeps.folder.glob("*/sweep.json"))
    (sweeps.folder / "1234abcd").mkdir()
    (sweeps.folder / "1234abcd" / "sweep.json").write_text("{")
    for words in (["status"], ["retry"], ["logs", "abc"]):
        done = sweeps.here(*words)
        assert done.code == 1 and done.err.count("\n") == 1 and "1234abcd/sweep.json" in done.err
    assert Path.cwd() != tmp_path
