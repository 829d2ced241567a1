from __future__ import annotations

from standings import WHOLE, line, standing

from mmulbench.report.standing_markdown import BELOW, ELSEWHERE, folded_tables, ranked_table
from mmulbench.report.standing_view import View


def rows(table):
    return [[cell.strip() for cell in text.strip("|").split(" | ")] for text in table.splitlines()]


def test_ranks_come_first_and_the_line_parts_what_never_forgot():
    table, *said = ranked_table(WHOLE, View())
    shown = [(cells[0], cells[1]) for cells in rows(table)[2:]]
    assert shown == [
        ("", "retrain"),
        ("1", "**near (tuned)**"),
        ("1", "**as_near**"),
        ("3", "far"),
        ("", "broken†"),
        ("", BELOW),
        ("", "idle"),
        ("", "original"),
        ("", "crashed"),
    ]
    assert len({len(cells) for cells in rows(table)}) == 1
    assert said[-1] == "Missing, without a record here: `npo`."


def test_other_settings_are_folded_and_models_from_elsewhere_are_not():
    (text,) = folded_tables(WHOLE, View())
    assert text.startswith("<details>") and "near, no UKR" in text
    (text,) = folded_tables(standing(line("external:mine", "outside")), View())
    assert text.startswith(ELSEWHERE) and "external:mine" in text


def test_texts_of_records_are_no_markdown():
    odd = "a|b <script> [x](y) **z**"
    table, *_ = ranked_table(standing(line(odd, rank=1, tuned=odd), not_applicable=((odd, odd),)), View())
    assert "<script" not in table and "\\|b" in table and "](y)" not in table.replace("\\](y)", "")
