"""Tables on real terminals of several widths, and in pipes: whole columns or none, and no padding."""

from __future__ import annotations

import pytest
from rich.text import Text
from terminals import in_pipe, on_terminal

from mmulbench.tables import Column, WholeTable, show, show_line

PROGRAM = """
from mmulbench.tables import Column, WholeTable, show, show_line
columns = (Column("Name", folds=True), Column("value", right=True), Column("chance", 2, right=True),
           Column("interval", 1), Column("note", 3, folds=True))
table = WholeTable(columns, title="Two of them")
table.add_row("first", "0.512", "0.500", ".501-.523", "measured on all of the pairs of a set")
table.add_row("a second with a long name", "12,345.678", "0.042", ".1-.2", "short")
show(table, "prose that goes on and on " * 5)
show_line("mmulbench run " + "--set key=value " * 12)
"""
NUMBERS = {"value": ["0.512", "12,345.678"], "chance": ["0.500", "0.042"], "interval": [".501-.523", ".1-.2"]}


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (200, {"value", "chance", "interval", "note"}),
        (80, {"value", "chance", "interval", "note"}),
        (60, {"value", "chance", "note"}),
        (50, {"value", "note"}),
        (36, {"value"}),
        (12, {"value"}),
    ],
)
def test_a_terminal_shows_whole_columns_and_names_the_others(width, shown):
    code, out = on_terminal(width, "-c", PROGRAM)
    assert code == 0
    assert "…" not in out
    lines = out.splitlines()
    assert all(len(line) <= width for line in lines if not line.startswith("mmulbench run"))
    assert ("mmulbench run " + "--set key=value " * 12) in lines
    joined = "".join(out.split())
    for column, numbers in NUMBERS.items():
        assert all(number in out for number in numbers) == (column in shown) or width == 12
    dropped = {"chance", "interval", "note"} - shown
    said = out.partition("No room for: ")[2]
    assert {
        name for name in ("chance", "interval", "note") if name in said.split("(")[0]
    } == dropped or width == 12
    if width == 12:  # what is left goes on in the next line, no digit of it is lost
        assert "12,3" in joined and "No room for:" in " ".join(out.split())


def test_a_pipe_gets_all_columns_without_padding_and_texts_in_one_line():
    done = in_pipe("-c", PROGRAM)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "No room for" not in done.stdout
    assert all(line == line.rstrip() for line in lines[:-1])
    assert "measured on all of the pairs of a set" in lines[2]
    assert ("prose that goes on and on " * 5).rstrip() in lines
    assert all(number in done.stdout for numbers in NUMBERS.values() for number in numbers)


def test_texts_are_no_markup(capsys):
    table = WholeTable((Column("[bold]a[/x]"),), title="[red]t", caption="[/c]")
    table.add_row("[b, c]")
    table.end_section()
    table.add_row(Text("styled", style="bold"))
    show(table, "[/d]")
    out = capsys.readouterr().out
    for text in ("[bold]a[/x]", "[red]t", "[/c]", "[b, c]", "styled", "[/d]"):
        assert text in out


def test_rows_may_end_early(capsys):
    table = WholeTable((Column(), Column(right=True)))
    table.end_section()  # of nothing
    table.add_row("alone")
    show(table)
    show_line("one", "two")
    assert capsys.readouterr().out == "alone\none\ntwo\n"
