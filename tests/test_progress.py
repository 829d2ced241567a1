from __future__ import annotations

from typing import Any

import pytest

from mmulbench.progress import SHADOWS, STAGES, Bars, NotesOnly, Progress, make_progress


@pytest.mark.parametrize("kind", [Progress, NotesOnly, Bars])
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
