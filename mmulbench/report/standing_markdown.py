"""Write as Markdown how methods stand: the ranked table, what is below it, and other settings folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmulbench.report.cells import code, escape, markdown
from mmulbench.report.overall import Overall, overall_sentence
from mmulbench.report.standing import MAIN, Line, Standing
from mmulbench.report.standing_view import Field, View, fields, is_below, notes

BELOW = "*never forgot:*"
"""Stands where the line is, since Markdown has none inside a table."""


ELSEWHERE = (
    "Made elsewhere: models that were given, judged by the same measures. How they were tuned and what they "
    "cost is what their makers say, so that they are not ranked."
)
"""Sentence before the rows of models that were made elsewhere."""


def ranked_table(standing: Standing, view: View) -> list[str]:
    """Return the parts of a page that show a table: the table, and what is to be said below.

    Args:
        standing: the table.
        view: what is shown.
    """
    shown = fields(standing, view)
    parts = [_table(standing.of_blocks(*MAIN), shown)]
    if said := "\n".join(f"- {escape(line)}" for line in notes(standing, view)):
        parts.append(said)
    if standing.missing:
        parts.append(f"Missing, without a record here: {', '.join(map(code, standing.missing))}.")
    return parts


def folded_tables(standing: Standing, view: View) -> Iterator[str]:
    """Yield the tables of rows that are not ranked, folded.

    Args:
        standing: the table.
        view: what is shown.
    """
    shown = fields(standing, view)
    variants, outside = standing.of_blocks("variant"), standing.of_blocks("outside")
    if variants:
        yield folded("Other settings of these methods, ablations among them", _table(variants, shown))
    if outside:
        yield f"{ELSEWHERE}\n\n{_table(outside, shown)}"


def overall_parts(found: Overall) -> list[str]:
    """Return the parts of a page that show mean ranks over tasks.

    Args:
        found: the ranks.
    """
    lines = [["Method", "Mean rank", *map(escape, found.tasks)]]
    lines += [
        [escape(one.method), f"{one.mean:.2f}", *(f"{place:g}" for place in one.places)]
        for one in found.methods
    ]
    said = "Methods that all tasks have, by their places in the tables; those of one rank share theirs."
    return [said, markdown(lines), overall_sentence(found)]


def folded(summary: str, text: str) -> str:
    """Fold a text below a summary.

    Args:
        summary: line that is seen, Markdown without HTML.
        text: Markdown below it.
    """
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


def _table(lines: Sequence[Line], shown: Sequence[Field]) -> str:
    head = [escape(" ".join(one.heading.split())) for one in shown]
    rule = ["---:" if one.right else "---" for one in shown]
    body: list[list[str]] = []
    for place, line in enumerate(lines):
        if place and is_below(line) and not is_below(lines[place - 1]):
            body.append(["", BELOW, *[""] * (len(shown) - 2)])
        body.append([_cell(line, one) for one in shown])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))


def _cell(line: Line, field: Field) -> str:
    text = escape(field.text(line))
    return f"**{text}**" if text and field.is_best(line) else text
