from __future__ import annotations

from dataclasses import replace

import pytest
from standings import WHOLE, line, measure, standing

from mmulbench.errors import UsageError
from mmulbench.report.noise_floor import GAP
from mmulbench.report.standing import ShadowAttack, Shown
from mmulbench.report.standing_view import (
    View,
    attack_text,
    cost_text,
    fields,
    gap_text,
    notes,
    short,
    value_text,
    viewed,
)


def names(view, *tables):
    return [[one.name for one in table.lines] for table in viewed(tables or (WHOLE,), view)]


def test_a_choice_of_methods_keeps_their_ranks_and_all_their_settings():
    (found,) = viewed([WHOLE], View(methods=("near", "far", "erm_ktp")))
    chosen = [("near (tuned)", 1), ("far", 3), ("near, no UKR", None)]
    assert [(one.name, one.rank) for one in found.lines if one.block != "out"] == chosen
    assert found.not_applicable == WHOLE.not_applicable and found.missing == ()


def test_tables_without_a_chosen_method_are_left_out():
    other = standing(line("mmul"), task="hpo_pgr")
    assert names(View(methods=("mmul",)), WHOLE, other) == [["mmul"]]


def test_lines_are_sorted_within_their_blocks_and_the_best_comes_first():
    lines = [
        line("retrain", "reference", gap=0.0, ratio=measure(1.0)),
        line("slow", rank=1, ratio=measure(0.9)),
        line("quick", rank=1, ratio=measure(0.1)),
        line("unknown", ratio=None),
        line("quickest", "unforgotten", ratio=measure(0.01)),
    ]
    assert names(View("cost"), standing(*lines)) == [["retrain", "quick", "slow", "unknown", "quickest"]]
    assert names(View("method"), standing(*lines)) == [["retrain", "quick", "slow", "unknown", "quickest"]]
    assert names(View("gap"), standing(*lines)) == [[one.name for one in lines]]


@pytest.mark.parametrize(
    ("sort", "direction", "first"),
    [
        ("test", "not_below_retrain", "high"),
        ("x", "lower", "low"),
        ("x", "higher", "high"),
        ("x", "closest_to_retrain", "low"),
        ("x/a", "lower", "low"),
    ],
)
def test_what_is_better_comes_first(sort, direction, first):
    def made(name, number):
        own = measure(number, retrain=0.0, difference=number, distance=number)
        return line(name, measures={GAP: measure(0.1), "test": own, "x/a": own})

    table = replace(
        standing(made("high", 0.9), made("low", 0.2)),
        columns=(Shown("test", "", "not_below_retrain"), Shown("x/a", "", direction)),
    )
    ((found, _),) = names(View(sort), table)
    assert found == first


def test_of_several_paths_the_worst_counts():
    def made(name, *distances):
        values = {
            f"mia/{path}": measure(0.5, distance=one) for path, one in zip("ab", distances, strict=True)
        }
        return line(name, measures=values)

    columns = tuple(Shown(f"mia/{path}", "", "closest_to_retrain") for path in "ab")
    table = replace(standing(made("one_path", 0.0, 0.3), made("both", 0.1, 0.1)), columns=columns)
    assert names(View("mia"), table) == [["both", "one_path"]]
    assert names(View("mia/a"), table) == [["one_path", "both"]]


def test_names_that_no_table_has_are_refused():
    with pytest.raises(UsageError, match=r"no records of method 'nera' here; did you mean near"):
        viewed([WHOLE], View(methods=("nera",)))
    with pytest.raises(UsageError, match=r"cannot sort by 'gpa'; did you mean gap.*there are gap, method"):
        viewed([WHOLE], View("gpa"))


def headings(view):
    return [one.heading.replace("\n", " ") for one in fields(WHOLE, view)]


def test_the_usual_fields_and_all_of_them():
    usual = [
        "#",
        "Method",
        "Verdict",
        "Gap [95 %]",
        "Worst attack (retrain)",
        "Test utility",
        "Time / retrain",
    ]
    assert headings(View()) == usual
    assert headings(View(wide=True)) == [
        *usual[:6],
        "MIA AUC matching",
        "Time / retrain",
        "Seconds",
        "Settings",
        "Seeds",
    ]
    chosen = ["Test utility", "MIA AUC matching", "Gap to retrain"]
    assert headings(View(only_columns=True)) == [*usual[:3], *chosen, "Time / retrain"]


def test_cells_say_how_a_value_lies_to_retrains():
    one = line("a", gap=0.005)
    assert gap_text(one) == ".005 [.000, .015]", "no distance is below 0"
    assert gap_text(line("a", measures={GAP: measure(0.2, None)})) == ".200"
    assert attack_text(one) == "matching .600 (.500)"
    assert value_text(one, Shown("test", "", "not_below_retrain")) == ".500 (−1.0)"
    assert value_text(one, Shown("mia/matching", "", "closest_to_retrain")) == ".600 (Δ .100)"
    assert value_text(one, Shown("retain", "", "not_below_retrain")) == "missing"
    gone = line("a", gap=None)
    assert {gap_text(gone), attack_text(gone), value_text(gone, WHOLE.columns[0])} == {"failed"}


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.083, "8.3 %"), (0.25, "25 %"), (0.996, "1.0 ×"), (12.34, "12.3 ×"), (0.0, "0 %")]
)
def test_the_cost_is_a_part_of_retrainings_time(ratio, text):
    assert cost_text(line("a", ratio=measure(ratio))) == text


def test_numbers_lose_the_zero_before_their_point_and_no_other():
    assert [short(one) for one in (0.5, -0.25, 10.5, 0.0, 1.0)] == [
        ".500",
        "−.250",
        "10.500",
        ".000",
        "1.000",
    ]
    assert short(20.04, 1) == "20.0"


def test_notes_say_what_the_marks_mean():
    said = "\n".join(notes(WHOLE, View()))
    assert "Noise floor of the gap: .008." in said
    assert "† Out of competition: test or retain over 3 points below retrain." in said
    assert "N/A: erm_ktp (no class to delete)." in said
    assert "taken over" not in said
    plain = "\n".join(notes(standing(line("a"), why_not="2 seeds are too few"), View()))
    assert "†" not in plain and "one rank" not in plain


def test_settings_that_were_found_elsewhere_are_named_with_their_place():
    lines = [line(f"{name} (tuned)", taken_from="flags with clip:mini") for name in ("a", "b")]
    other = line("c, default", "variant", taken_from="flags with clip:mini")
    said = list(notes(standing(*lines, line("d (tuned)"), other), View()))
    assert said[-1] == (
        "Settings found on flags with clip:mini and taken over, not tuned here: a (tuned), b (tuned)."
    )


def test_paths_that_the_original_never_learned_are_named_with_their_seeds():
    (said,) = [
        one
        for one in notes(standing(untaught={"matching": (21, 87)}), View())
        if one.startswith(
            "The matching path says nothing of forgetting (seeds 21, 87): there the original learned"
        )
    ]
    assert said.endswith("which pairs are true.")
    assert not [one for one in notes(WHOLE, View()) if "says nothing" in one]


def test_attacks_with_shadow_models_have_a_column_where_there_are_any():
    plain = [one.heading for one in fields(WHOLE, View())]
    attack = ShadowAttack("matching", 31, (42,), 0.62, 0.57, 0.67, 0.51)
    found = standing(
        line("retrain", "reference", gap=0.0, shadows=replace(attack, forget=0.5)),
        line("retrain′", "reference", gap=0.01),
        line("a", rank=1, shadows=attack),
        line("b", rank=2),
    )
    shown = fields(found, View())
    (column,) = [one for one in shown if one.heading not in plain]
    assert column.heading == "U-LiRA\n(test pairs)"
    assert [column.text(one) for one in found.lines] == [".500 (.510)", "", ".620 (.510)", "missing"]
    said = "how well an attacker with 31 shadow models (seed 42) tells"
    assert [one for one in notes(found, View()) if said in one]
    assert column.heading not in [one.heading for one in fields(found, View(only_columns=True))]


def test_what_shadow_models_tell_of_deleted_pairs_alone_sorts_lines():
    known, changed = ((0.8, 0.5), (0.9, 0.9))
    lines = [
        line(name, rank=1, shadows=ShadowAttack("matching", 31, (42,), forget, None, None, test))
        for name, (forget, test) in {"known": known, "changed": changed}.items()
    ]
    assert names(View("shadows"), standing(*lines, line("unasked"))) == [["changed", "known", "unasked"]]
