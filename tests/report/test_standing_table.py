from __future__ import annotations

import io

import pytest
from rich.console import Console
from standings import WHOLE, line, standing

from mmulbench.report.standing_table import standing_tables
from mmulbench.report.standing_view import View


def printed(table, width=160, view=None, **terminal):
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, **terminal)
    for part in standing_tables(table, view or View()):
        console.print(part)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_table_fits_its_width_and_cuts_no_number(width):
    text = printed(WHOLE, width)
    assert max(map(len, text.splitlines())) <= width
    for one in WHOLE.of_blocks("ranked"):
        assert f"{one.gap:.3f}"[1:] in text and one.name.split(" ")[0] in text


def test_80_columns_hold_rank_verdict_gap_attack_and_cost():
    text = printed(WHOLE, 80)
    for heading in ("#", "Method", "Verdict", "Gap [95 %]", "Worst attack", "Time /"):
        assert heading in text
    assert "No room for: Test utility" in text


def test_a_line_parts_what_forgot_from_what_never_did():
    lines = printed(WHOLE).splitlines()
    rules = [place for place, text in enumerate(lines) if text and set(text.strip()) == {"─"}]
    places = {name: next(i for i, text in enumerate(lines) if name in text) for name in ("broken", "idle")}
    assert any(places["broken"] < rule < places["idle"] for rule in rules)


def test_only_the_first_rank_is_bold():
    text = printed(WHOLE, color_system="standard", force_terminal=True)
    bold = [part.partition("\x1b[0m")[0] for part in text.split("\x1b[1m")[1:]]
    assert {one.strip() for one in bold if "near" in one} == {"near (tuned)", "as_near"}
    assert not any(name in one for one in bold for name in ("far", "idle", "broken", "original"))


def test_other_settings_are_shown_when_they_are_asked_for():
    assert "near, no UKR" not in printed(WHOLE)
    assert "1 row of other settings: --wide shows them." in printed(WHOLE)
    for view in (View(wide=True), View(methods=("near",))):
        text = printed(WHOLE, 300, view)
        assert "Other settings, not ranked" in text and "near, no UKR" in text


def test_models_from_elsewhere_have_a_table_of_their_own():
    text = printed(standing(line("a"), line("external:mine", "outside")))
    assert text.index("Made elsewhere, not ranked") < text.index("external:mine")


def test_names_are_no_markup():
    assert "[bold]x" in printed(standing(line("[bold]x")))
