from __future__ import annotations

import csv
import json
from dataclasses import replace

from standings import WHOLE, found, line, measure, standing

from mmulbench.report.data_forms import csv_form, json_form
from mmulbench.report.noise_floor import GAP
from mmulbench.report.page import PageLook
from mmulbench.report.standing import ShadowAttack, Shown
from mmulbench.report.standing_view import View


def rows(*standings, view=None):
    text = csv_form(found(*standings), PageLook(view=view or View()))
    return list(csv.DictReader(text.splitlines()))


def test_each_line_is_a_row_with_its_numbers_as_they_are():
    shown = {row["name"]: row for row in rows(WHOLE)}
    assert list(shown) == [*(one.name for one in WHOLE.lines), "erm_ktp"]
    near = shown["near (tuned)"]
    assert (near["task"], near["rank"], near["block"], near["method"]) == ("emoji", "1", "ranked", "near")
    assert float(near["gap"]) == 0.03 and float(near["gap_low"]) == 0.03 - 0.01
    assert (near["attack_path"], near["attack"], near["attack_retrain"]) == ("matching", "0.6", "0.5")
    assert shown["crashed"]["gap"] == "" and shown["crashed"]["note"] == "failed"
    assert (shown["erm_ktp"]["verdict"], shown["erm_ktp"]["note"]) == ("N/A", "no class to delete")


def test_wide_rows_have_all_values_and_tables_may_have_others():
    other = standing(line("a", measures={GAP: measure(0.1)}), task="hpo_pgr")
    first, second = rows(standing(line("a")), other, view=View(wide=True))
    assert (first["mia/matching"], first["mia/matching.distance"]) == ("0.6", "0.1")
    assert second["mia/matching"] == "" and "mia/matching" not in rows(WHOLE)[0]


def test_wide_rows_have_the_attack_with_shadow_models():
    attacked = standing(
        line("a", shadows=ShadowAttack("matching", 31, (42,), 0.62, 0.57, None, 0.51)), line("b")
    )
    first, second = rows(attacked, view=View(wide=True))
    assert (first["shadow_models"], first["u_lira_path"], first["u_lira_forget"]) == (
        "31",
        "matching",
        "0.62",
    )
    assert (first["u_lira_low"], first["u_lira_high"], first["u_lira_test"]) == ("0.57", "", "0.51")
    assert second["u_lira_forget"] == "" and "u_lira_forget" not in rows(attacked)[0]


def test_no_cell_is_a_formula():
    odd = standing(line("=1+1", method="@x", tuned="+1", seeds="-1"), not_applicable=(("=n", "=r"),))
    odd = replace(odd, columns=(Shown("=c", "", "lower"),))
    shown = rows(odd, view=View(wide=True))
    cells = [text for row in shown for pair in row.items() for text in pair]
    numbers = {row["test_difference"] for row in shown}
    assert not any(cell.startswith(("=", "@", "+", "-")) for cell in cells if cell not in numbers)
    assert {"'=1+1", "'@x", "'=r"} <= set(cells)


def test_without_tables_there_is_a_heading_alone():
    assert csv_form(found(), PageLook()) == "task\n"


def test_json_has_all_that_is_known():
    content = json.loads(
        json_form(found(replace(WHOLE, untaught={"matching": (21,)})), PageLook("the command"))
    )
    assert content["command"] == "the command" and content["left_out"] == []
    (table,) = content["tables"]
    assert table["noise_floor"] == 0.008 and len(table["answer"]) == 3
    assert [one["name"] for one in table["lines"]] == [one.name for one in WHOLE.lines]
    assert table["lines"][1]["measures"][GAP]["mean"] == 0.03
    assert table["not_applicable"] == {"erm_ktp": "no class to delete"} and table["missing"] == ["npo"]
    assert table["untaught_paths"] == {"matching": [21]}
