"""Write tables in the form that is asked for, all from the same standing: no form reads a record again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.report.data_forms import csv_form, json_form
from mmulbench.report.html_form import html_form
from mmulbench.report.latex_form import latex_form
from mmulbench.report.page import PageLook, Tables, page

TABLE = "table"
"""Form of a terminal, which only the command line has."""

Writer = Callable[[Tables, PageLook], str]

WRITERS: Mapping[str, Writer] = {
    "md": page,
    "csv": csv_form,
    "json": json_form,
    "latex": latex_form,
    "html": html_form,
}
"""What writes each form."""

SUFFIXES = {".md": "md", ".csv": "csv", ".json": "json", ".tex": "latex", ".html": "html", ".htm": "html"}
"""Forms that names of files end with."""


def form_of(given: str | None, output: Path | None, usual: str) -> str:
    """Return the form that is meant.

    Args:
        given: the form that was asked for; None for none.
        output: the file that is written, whose suffix says the form; None for none.
        usual: the form where neither says one.

    Raises:
        UsageError: There is no such form.
    """
    if given is None:
        return usual if output is None else SUFFIXES.get(output.suffix.lower(), "md")
    return known_form(given, (TABLE, *WRITERS))


def known_form(name: str, known: Collection[str] = WRITERS) -> str:
    """Return the name of a form.

    Args:
        name: the name.
        known: the forms that there are.

    Raises:
        UsageError: It is none of them.
    """
    if name not in known:
        raise UsageError(f"unknown format {name!r}{did_you_mean(name, known)}; there are {', '.join(known)}")
    return name
