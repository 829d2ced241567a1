from __future__ import annotations

import pytest

from mmulbench.time_left import SHARES, TimeLeft, duration

STAGES = ("original", "retrain", "unlearn", "evaluate")


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock():
    return Clock()


def work(left, clock, stage, seconds):
    left.begin_stage(stage)
    bar = left.bar(10)
    for _ in range(10):
        clock.time += seconds / 10
        bar.done += 1
    left.end_bar(bar)


def test_nothing_is_known_before_anything_took_time(clock):
    left = TimeLeft(clock)
    assert left.left() is None
    left.plan([1], STAGES)
    left.begin_run()
    left.begin_stage("original")
    assert left.left() is None
    bar = left.bar(100)
    clock.time += 10
    bar.done = 1  # too little to say
    assert left.left() is None


def test_a_bar_alone_ends_when_its_steps_do(clock):
    left = TimeLeft(clock)
    bar = left.bar(4)
    clock.time += 30
    bar.done = 3
    assert left.bar_left() == left.left() == pytest.approx(10)
    left.end_bar(bar)
    assert left.left() is None


def test_bars_within_bars_count_as_parts_of_them(clock):
    left = TimeLeft(clock)
    outer = left.bar(4)
    clock.time += 20
    outer.done = 1
    inner = left.bar(2)
    inner.done = 1
    assert left.part() == pytest.approx(0.375)
    inner.done = 5  # more than was said
    assert left.part() == pytest.approx(0.5)
    assert left.bar_left() == pytest.approx(20)
    assert TimeLeft(clock).part() == 0


def test_later_stages_are_guessed_from_the_first_and_then_known(clock):
    left = TimeLeft(clock)
    left.plan([1], STAGES)
    left.begin_run()
    work(left, clock, "original", 80)
    left.begin_stage("retrain")
    a_share = 80 / SHARES["original"]
    assert left.left() == pytest.approx(
        a_share * (SHARES["retrain"] + SHARES["unlearn"] + SHARES["evaluate"])
    )
    bar = left.bar(10)
    clock.time += 20
    bar.done = 5
    scale = (80 + 40) / (SHARES["original"] + SHARES["retrain"])
    assert left.left() == pytest.approx(20 + scale * (SHARES["unlearn"] + SHARES["evaluate"]))


def test_runs_of_a_seed_that_was_there_train_no_original_again(clock):
    left = TimeLeft(clock)
    left.plan([1, 1, 2], STAGES)
    left.begin_run()
    for stage, seconds in (("original", 100), ("retrain", 90), ("unlearn", 10), ("evaluate", 5)):
        work(left, clock, stage, seconds)
    left.begin_run()
    assert (left.run_number, left.runs) == (2, 3)
    whole = 100 + 90 + 10 + 5
    assert left.left() == pytest.approx(15 + whole)
    left.begin_stage("original")  # found in the cache
    left.begin_stage("retrain")
    left.begin_stage("unlearn")
    assert left.left() == pytest.approx(15 + whole)
    clock.time += 4
    assert left.left() == pytest.approx(11 + whole)
    clock.time += 60  # longer than it should have been
    assert left.left() == pytest.approx(5 + whole)


def test_stages_before_the_first_run_do_not_count(clock):
    left = TimeLeft(clock)
    work(left, clock, "data", 500)
    left.plan([1], STAGES)
    left.begin_run()
    assert left.left() is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "3 s"), (29.4, "29 s"), (60, "1 min"), (3599, "1 h 00 min"), (9000, "2 h 30 min")],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
