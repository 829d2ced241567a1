from __future__ import annotations

import pytest
from forged import forged
from sites import table_of
from standings import WHOLE, line, measure, standing

from mmulbench.report.standing import ShadowAttack
from mmulbench.report.standing_view import View, fields, viewed
from mmulbench.site.rows import anchors_of, blocks_of, columns_of, folded_of

TABLE = table_of(WHOLE)
GAPS = (("b", 0.1), ("c", 0.2), ("d", 0.3))


def test_rows_lie_in_the_blocks_of_the_leaderboard():
    found = [
        (block.heading.partition(":")[0], [row.name for row in block.rows])
        for block in blocks_of(TABLE, "t1")
    ]
    assert found == [
        ("References", ["retrain"]),
        ("Ranked", ["near (tuned)", "as_near", "far"]),
        ("† Out of competition", ["broken"]),
        ("Never forgot", ["idle", "original"]),
        ("No result", ["crashed"]),
    ]
    assert [(one.heading, [row.name for row in one.rows]) for one in folded_of(TABLE, "t1")] == [
        ("Other settings of these methods, ablations among them", ["near, no UKR"])
    ]


def test_cells_are_the_strings_of_the_leaderboard():
    rows = {row.name: row for block in blocks_of(TABLE, "t1") for row in block.rows}
    for one in WHOLE.of_blocks("reference", "ranked", "out", "unforgotten", "no result"):
        cells = rows[one.name].cells
        assert [cell.text for cell in cells] == [field.text(one) for field in fields(WHOLE, View())]
        assert [cell.is_best for cell in cells] == [
            bool(field.text(one)) and field.is_best(one) for field in fields(WHOLE, View())
        ]


def sorts_of(table):
    return [one.sort for one in fields(table, View())]


@pytest.mark.parametrize("sort", ["gap", "attack", "test", "shadows", "cost"])
def test_sorting_by_a_column_gives_the_order_of_the_leaderboard(sort):
    attacks = {name: ShadowAttack("matching", 31, (42,), 0.9 - gap, None, None, gap) for name, gap in GAPS}
    lines = [line(name, rank=1, gap=gap, ratio=measure(1 - gap), shadows=attacks[name]) for name, gap in GAPS]
    table = table_of(standing(*lines))
    (block,) = blocks_of(table, "t1")
    place, sign = sorts_of(table.standing).index(sort), -1 if sort == "test" else 1
    found = sorted(block.rows, key=lambda row: sign * float(row.cells[place].sort))
    (usual,) = viewed([table.standing], View(sort=sort))
    assert [row.name for row in found] == [one.name for one in usual.lines]


def test_what_has_no_value_has_nothing_to_sort_by():
    (crashed,) = blocks_of(TABLE, "t1")[-1].rows
    assert {key: cell.sort for key, cell in zip(sorts_of(WHOLE), crashed.cells, strict=True)} == {
        "rank": "",
        "method": "crashed",
        "verdict": "failed",
        "gap": "",
        "attack": "",
        "test": "",
        "cost": "",
    }


def test_anchors_are_unique_and_every_run_is_linked():
    runs = (forged({}), forged({"spec.seed": 42, "spec.config.epochs": 3}), forged({"spec.seed": 87}))
    (block,) = blocks_of(table_of(standing(line("near", rank=1), line("far", rank=2)), runs=runs), "t1")
    assert [row.id for row in block.rows] == ["t1-0", "t1-1"]
    links = block.rows[0].links
    assert [link.text for link in links] == ["42 (1)", "42 (2)", "87"]
    assert links[0].target == f"runs/{runs[0].run_id}.html" and links[2].label == "Run of near, seed 87"


def test_an_anchor_stays_when_a_table_is_added():
    tables = [table_of(standing(line("near"), task=task)) for task in ("a", "emoji", "<b>")]
    assert anchors_of(tables) == ["a-albef-packaged-64", "emoji-albef-packaged-64", "-b--albef-packaged-64"]
    assert anchors_of(tables[1:2]) == ["emoji-albef-packaged-64"]


def test_the_first_table_lies_in_the_order_of_the_gap():
    columns = columns_of(WHOLE)
    assert [one.heading for one in columns if one.is_sorted] == ["Gap [95 %]"]
    assert [one.heading for one in columns if one.best == "descending"] == ["Test utility"]
