"""Show on a terminal how methods stand: a table that fits it, and what is to be said below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.text import Text

from mmulbench.plain_text import one_line
from mmulbench.report.answer import answer
from mmulbench.report.overall import Overall, overall_sentence
from mmulbench.report.standing import MAIN, Line, Standing, listed_seeds
from mmulbench.report.standing_view import Field, View, fields, is_below, notes
from mmulbench.tables import Column, WholeTable

STYLE = {"box": box.HORIZONTALS, "padding": (0, 1, 0, 0), "show_edge": False}


def standing_tables(standing: Standing, view: View) -> Iterator[WholeTable | str]:
    """Yield the tables of a task's methods, and the lines below them.

    Args:
        standing: the table.
        view: what is shown.
    """
    key = standing.key
    title = one_line(f"{key.task}, {key.backbone}, {key.forget_text}, {listed_seeds(standing)}")
    shown = fields(standing, view)
    yield _table(title, standing.of_blocks(*MAIN), shown)
    if not view.methods:
        yield " ".join(answer(standing))
    yield from notes(standing, view)
    if (more := len(standing.of_blocks("variant"))) and not view.shows_variants:
        yield f"{more} row{'s' if more > 1 else ''} of other settings: --wide shows them."
    variants = standing.of_blocks("variant") if view.shows_variants else []
    for name, lines in (("Other settings", variants), ("Made elsewhere", standing.of_blocks("outside"))):
        if lines:
            yield ""
            yield _table(f"{name}, not ranked: {title}", lines, shown)


def overall_lines(found: Overall) -> Iterator[WholeTable | str]:
    """Yield the table of mean ranks over tasks, and what can be said of them.

    Args:
        found: the ranks.
    """
    places = [Column(task, drop=len(found.tasks) - i, right=True) for i, task in enumerate(found.tasks)]
    table = WholeTable(
        [Column("Method", folds=True), Column("Mean rank", right=True), *places],
        title="Over all tasks",
        style=dict(STYLE),
    )
    for one in found.methods:
        table.add_row(one.method, f"{one.mean:.2f}", *(f"{place:g}" for place in one.places))
    yield table
    yield overall_sentence(found)


def _table(title: str, lines: Sequence[Line], shown: Sequence[Field]) -> WholeTable:
    columns = [Column(one.heading, one.drop, right=one.right, folds=one.folds) for one in shown]
    table = WholeTable(columns, title=title, style=dict(STYLE))
    for place, line in enumerate(lines):
        table.add_row(*(_cell(line, one) for one in shown))
        if place + 1 < len(lines) and is_below(lines[place + 1]) != is_below(line):
            table.end_section()
    return table


def _cell(line: Line, field: Field) -> Text:
    return Text(field.text(line), style="bold" if field.is_best(line) else "")
