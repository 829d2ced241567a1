from __future__ import annotations

import re
from typing import Any

import pytest
from terminals import in_pipe, on_terminal

from mmulbench.progress import SHADOWS, STAGES, Bars, Lines, NotesOnly, Progress, make_progress
from mmulbench.time_left import TimeLeft


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize("kind", [Progress, NotesOnly, Bars, Lines])
def test_all_items_come_through(kind):
    with kind() as progress:
        for stage in STAGES:
            progress.stage(stage)
            assert list(progress.track(iter("abc"), 3, "letters")) == ["a", "b", "c"]


@pytest.mark.parametrize(("kind", "shown"), [(Progress, ""), (NotesOnly, "[x] is rebuilt\\x1b\n")])
def test_notes_go_to_standard_error(kind, shown, capsys):
    with kind() as progress:
        progress.note("[x] is rebuilt\x1b")
        progress.counter(2, "steps")()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", shown)


@pytest.mark.parametrize("bars", [False, True])
def test_tracebacks_are_shown_where_they_are_asked_for(bars, capsys):
    for debug in (False, True):
        with make_progress(bars=bars, debug=debug) as progress:
            progress.failure(ValueError("too\x1bfew"))
        assert capsys.readouterr().err == ("ValueError: too\\x1bfew\n" if debug else "")


def test_bars_show_notes_as_they_are_on_standard_error(capsys):
    with Bars() as bars:
        bars.note("cache entry [red]x[/red] is damaged\x07")
    captured = capsys.readouterr()
    assert "cache entry [red]x[/red] is damaged\\x07" in captured.err
    assert captured.out == ""


def described(bars: Bars) -> list[tuple[str, float, float | None]]:
    return [(task.description, task.completed, task.total) for task in bars._bars.tasks]


def test_a_bar_names_its_stage_counts_and_goes():
    with Bars() as bars:
        bars.stage("retrain")
        step = bars.counter(2, "train")
        step()
        ((text, completed, total),) = described(bars)
        assert "3/5 retrain" in text and text.endswith("train")
        assert (completed, total) == (1, 2)
        step()
        assert not described(bars)


def test_a_count_that_was_too_low_does_not_end_the_run():
    with Bars() as bars:
        step = bars.counter(1, "train")
        for _ in range(3):
            step()
        assert not described(bars)


def test_a_bar_goes_when_its_loop_breaks():
    with Bars() as bars:
        loop: Any = bars.track(range(9), 9, "pictures")
        next(loop)
        next(loop)
        assert described(bars)[0][1:] == (1, 9)
        loop.close()
        assert not described(bars)


def test_the_stage_of_shadow_models_comes_after_those_that_are_counted():
    with Bars() as bars:
        bars.stage("evaluate")
        bars.counter(2, "pairs")
        bars.stage(SHADOWS)
        bars.counter(2, "shadow models")
        first, second = (task[0] for task in described(bars))
    assert "5/5 evaluate" in first and first.endswith(" pairs")
    assert "shadows" in second and "/" not in second.partition("[/bold]")[0]


def test_an_unknown_stage_is_a_fault_of_ours():
    with Bars() as bars, pytest.raises(ValueError, match="not in tuple"):
        bars.stage("lunch")


def test_without_a_terminal_there_is_a_line_a_stage_and_one_a_minute(capsys):
    clock = Clock()
    with Lines(TimeLeft(clock)) as lines:
        lines.stage("data")
        lines.plan([1, 1])
        lines.run("mmul, seed 1")
        lines.stage("original")
        step = lines.counter(100, "train original")
        for _ in range(100):
            clock.time += 3
            step()
        lines.stage("evaluate")
        for _ in lines.track(range(3), 3, "pairs"):
            clock.time += 1
    assert capsys.readouterr().err.splitlines() == [
        "1/5 data",
        "2/5 original (run 1 of 2, mmul, seed 1)",
        "2/5 original, train original: 20 %, 4 min left; about 15 min to the end",
        "2/5 original, train original: 40 %, 3 min left; about 14 min to the end",
        "2/5 original, train original: 60 %, 2 min left; about 13 min to the end",
        "2/5 original, train original: 80 %, 1 min left; about 12 min to the end",
        "2/5 original, train original: 100 %, 0 s left; about 11 min to the end",
        "5/5 evaluate (run 1 of 2, mmul, seed 1)",
    ]


def test_one_run_alone_has_no_number_and_work_without_a_stage_no_place(capsys):
    clock = Clock()
    lines = Lines(TimeLeft(clock))
    step = lines.counter(4, "files")
    clock.time += 90
    step()
    lines.plan([1], shadows=True)
    lines.run("mmul, seed 1")
    lines.stage(SHADOWS)
    lines.note("a [note]\x07")
    assert capsys.readouterr().err.splitlines() == [
        "files: 25 %, 4 min left",
        "shadows (mmul, seed 1)",
        "a [note]\\x07",
    ]


def test_bars_need_a_terminal(monkeypatch):
    assert type(make_progress(bars=False)) is NotesOnly
    for terminal, kind in ((True, Bars), (False, Lines)):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal)
        assert type(make_progress(bars=True)) is kind


PROGRAM = """
import time
from mmulbench.progress import make_progress
with make_progress(bars=True) as progress:
    progress.plan([1, 2])
    progress.run("mmul, seed 1")
    for stage in ("original", "retrain"):
        progress.stage(stage)
        step = progress.counter(30, "train a model")
        for _ in range(30):
            time.sleep(0.05)
            step()
"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [130, 80, 60, 40])
def test_terminals_show_the_total_time_left_and_cut_nothing(width):
    code, out = on_terminal(width, "-c", PROGRAM)
    assert code == 0
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", out)]
    assert all(len(line) <= width for line in lines)
    assert "…" not in out
    assert any("[run 1 of 2" in line for line in lines)
    whole = r"left \(all: \d+ s\)" if width >= 60 else r"\d+ s left"
    assert any(re.search(whole, line) for line in lines), lines[-3:]
    assert any("/30" in line for line in lines) == (width >= 60)


@pytest.mark.slow
def test_a_pipe_gets_lines_without_escapes():
    done = in_pipe("-c", PROGRAM)
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "2/5 original (run 1 of 2, mmul, seed 1)",
        "3/5 retrain (run 1 of 2, mmul, seed 1)",
    ]
