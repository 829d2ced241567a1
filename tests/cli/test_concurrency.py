"""Several processes at once: one builds, the others wait, all end right."""

from __future__ import annotations

import signal

from helpers import ONE_EPOCH, TINY

RUN = ["run", *TINY, "-b", "stopping:tiny", "--json"]
MMUL = [*RUN, "-m", "mmul", *ONE_EPOCH]
FINETUNE = [*RUN, "-m", "finetune", *ONE_EPOCH]


def test_the_same_run_twice_at_once(bench):
    first = bench.start(*MMUL, stop_in="original")
    first.until(first.stopped.exists)
    second = bench.start(*MMUL, stop_in="original")
    second.until(lambda: ", making the same run since " in second.err)
    bench.go()
    made, found = first.wait(), second.wait()
    assert (made.code, found.code) == (0, 0)
    assert made.out == found.out
    assert f"found the record of this run (--overwrite always makes it again): {bench.record()}" in found.err
    assert "found" not in made.err
    assert len(bench.built("original")) == 1
    assert not second.stopped.exists()  # it never computed while an original was being built


def test_two_methods_at_once_share_one_original(bench):
    first = bench.start(*MMUL, stop_in="original")
    first.until(first.stopped.exists)
    second = bench.start(*FINETUNE, stop_in="original")
    second.until(lambda: ", building original since " in second.err)
    bench.go()
    done = [first.wait(), second.wait()]
    assert [one.code for one in done] == [0, 0]
    assert [record.spec.method for one in done for record in one.records] == ["mmul", "finetune"]
    assert len(bench.built("original")) == len(bench.built("retrain")) == 1
    assert not second.stopped.exists()


def test_a_waiting_process_takes_over_from_a_killed_one(bench):
    first = bench.start(*MMUL, stop_in="original")
    first.until(first.stopped.exists)
    second = bench.start(*MMUL)
    second.until(lambda: "waiting for process " in second.err)
    first.send(signal.SIGKILL)
    done = second.wait()
    assert done.code == 0
    assert "found the record" not in done.err
    assert done.records[0].status == "done"
    assert bench.leftovers() == []


def test_a_waiting_process_can_be_interrupted(bench):
    first = bench.start(*MMUL, stop_in="original")
    first.until(first.stopped.exists)
    second = bench.start(*MMUL)
    second.until(lambda: "waiting for process " in second.err)
    assert second.send(signal.SIGINT).code == 130
    bench.go()
    assert first.wait().code == 0
