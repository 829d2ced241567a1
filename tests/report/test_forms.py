from __future__ import annotations

from pathlib import Path

import pytest

from mmulbench.errors import UsageError
from mmulbench.report.forms import TABLE, WRITERS, form_of, known_form


@pytest.mark.parametrize(
    ("given", "output", "form"),
    [
        (None, None, TABLE),
        (None, "page.md", "md"),
        (None, "PAGE.MD", "md"),
        (None, "no_suffix", "md"),
        (None, "table.tex", "latex"),
        (None, "table.csv", "csv"),
        (None, "table.htm", "html"),
        ("latex", "table.txt", "latex"),
        ("md", None, "md"),
        (TABLE, None, TABLE),
    ],
)
def test_the_form_is_what_is_asked_for_or_what_the_file_is_called(given, output, form):
    assert form_of(given, None if output is None else Path(output), TABLE) == form


def test_unknown_forms_are_refused():
    known = "table, md, csv, json, latex, html"
    with pytest.raises(UsageError, match=rf"unknown format 'mdd'; did you mean md\?; there are {known}"):
        form_of("mdd", None, TABLE)
    assert {known_form(name) for name in WRITERS} == set(WRITERS)
    with pytest.raises(UsageError, match="unknown format 'table'"):
        known_form(TABLE)
