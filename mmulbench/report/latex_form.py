"""Write tables as LaTeX, ready to be pasted: booktabs' rules, and no mark of a name that LaTeX obeys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mmulbench.plain_text import one_line
from mmulbench.report.page import PageLook, Tables
from mmulbench.report.picture_names import picture_stems
from mmulbench.report.standing import MAIN, Line, Standing, listed_seeds
from mmulbench.report.standing_view import Field, View, fields, is_below, notes, viewed

SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # else it begins an option after the end of a row
    "]": "{]}",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "Δ": r"$\Delta$",
    "′": "$'$",
    "†": r"$^\dagger$",
    "→": r"$\to$",
    "≥": r"$\geq$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}
"""What stands for signs that LaTeX obeys or may lack."""

_SIGN = re.compile("|".join(map(re.escape, SIGNS)))

HEAD = "% \\usepackage{booktabs}"


def latex_form(tables: Tables, look: PageLook) -> str:
    """Return each table as LaTeX's ``table``.

    Args:
        tables: the tables.
        look: what is shown.

    Raises:
        UsageError: No table has a method or a value that the view names.
    """
    found = viewed([table.standing for table in tables.texts], look.view)
    stems = picture_stems(standing.key for standing in found)
    parts = [part for standing in found for part in _tables(standing, look.view, stems[standing.key])]
    return "\n\n".join([f"{HEAD}\n% {one_line(look.command)}", *parts]) + "\n"


def latex(text: str) -> str:
    r"""Keep free text from being obeyed by LaTeX.

    Example:
        >>> latex("a_b & 5 %")
        'a\\_b \\& 5 \\%'
    """
    return _SIGN.sub(lambda found: SIGNS[found[0]], one_line(text))


def _tables(standing: Standing, view: View, stem: str) -> Iterator[str]:
    key = standing.key
    title = f"{key.task}, {key.backbone}, {key.forget_text}, {listed_seeds(standing)}."
    caption = " ".join([title, *notes(standing, view)])
    shown = fields(standing, view)
    yield _table(standing.of_blocks(*MAIN), shown, caption, stem)
    for block, what in (("variant", "Other settings"), ("outside", "Made elsewhere")):
        lines = [line for line in standing.lines if line.block == block]
        if lines and (block == "outside" or view.shows_variants):
            yield _table(lines, shown, f"{what}, not ranked: {title}", f"{stem}-{block}")


def _table(lines: Sequence[Line], shown: Sequence[Field], caption: str, stem: str) -> str:
    label = re.sub(r"[^A-Za-z0-9-]+", "-", stem)
    rows = [_row([latex(" ".join(one.heading.split())) for one in shown])]
    rows.append("\\midrule")
    for place, line in enumerate(lines):
        if place and is_below(line) and not is_below(lines[place - 1]):
            rows.append("\\midrule")
        rows.append(_row([_cell(line, one) for one in shown]))
    aligned = "".join("r" if one.right else "l" for one in shown)
    return "\n".join(
        [
            "\\begin{table}[t]",
            "\\centering",
            f"\\caption{{{latex(caption)}}}",
            f"\\label{{tab:{label}}}",
            f"\\begin{{tabular}}{{{aligned}}}",
            "\\toprule",
            *rows,
            "\\bottomrule",
            "\\end{tabular}",
            "\\end{table}",
        ]
    )


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _cell(line: Line, field: Field) -> str:
    text = latex(field.text(line))
    return f"\\textbf{{{text}}}" if text and field.is_best(line) else text
