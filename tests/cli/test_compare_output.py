"""The table of a comparison: signs, marks, and what is absent."""

from __future__ import annotations

from dataclasses import replace

from planted_results import Planted, World, of_one_original
from rich.console import Console

from mmulbench.api.compare import Comparison
from mmulbench.cli.compare_output import MARKS, comparison_table
from mmulbench.report.aggregate import group_records
from mmulbench.report.paired_rows import compare_rows


def found(seeds, **shifts):
    records = of_one_original(World(seeds=seeds).records({"a": Planted(shifts), "b": Planted()}))
    (group,) = group_records(records)
    rows = {row.method: row for row in group.rows}
    compared = tuple(compare_rows(rows["a"], rows["b"], group))
    return Comparison("a", "b", "emoji", "albef:packaged", "forget size 68", seeds, compared, ())


def lines(comparison):
    console = Console(width=300, highlight=False)
    with console.capture() as captured:
        console.print(comparison_table(comparison))
    return captured.get().splitlines()


def line_of(title, comparison):
    return next(line for line in lines(comparison) if line.startswith(title))


def test_a_significant_difference_has_a_star_and_who_is_better():
    line = line_of("Forget utility", found((1, 2, 3, 4, 5), forget=-0.3)).split()
    assert any(cell.startswith("−0.") for cell in line)
    assert any(cell.endswith("*") for cell in line) and line[-1] == "B"
    assert MARKS[:8] in "".join(lines(found((1, 2, 3))))


def test_what_units_alone_decide_is_marked_and_what_nothing_decides_is_a_dash():
    comparison = found((1, 2), forget=-0.3)
    assert "*u" in line_of("Forget utility", comparison)
    assert line_of("Test utility", comparison).split().count("–") == 4
    assert "seeds 1, 2" in lines(comparison)[2]


def test_names_of_records_are_safe_to_print():
    bad = replace(found((1, 2, 3)), first="a\x1b[2J")
    assert "\x1b" not in "".join(lines(bad))
