"""Tell whether a table of tab-separated columns is quoted as CSV, which most programs that write one do."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Literal

QUOTED = re.compile(r'"(?:[^"]|"")*"')
"""Cell that is quoted as a whole: each quotation mark inside of it is doubled, as pandas writes it."""


def csv_quoting(lines: Iterable[str]) -> Literal[0, 3]:
    """Tell how quotation marks in a table of tab-separated columns are to be read.

    They are CSV's only where every cell that has any is quoted as a whole, and they do something: one of them
    is doubled, or the names of the columns are quoted too. Elsewhere they are characters like any other.

    Args:
        lines: lines of the table, the first of which names the columns.

    Returns:
        ``csv.QUOTE_MINIMAL`` (0) or ``csv.QUOTE_NONE`` (3), as `csv.reader` takes them.
    """
    certain = False
    for number, line in enumerate(lines):
        if '"' not in line:
            continue
        for cell in line.rstrip("\r\n").split("\t"):
            if '"' in cell and not QUOTED.fullmatch(cell):
                return csv.QUOTE_NONE
            certain = certain or '""' in cell[1:-1] or (number == 0 and '"' in cell)
    return csv.QUOTE_MINIMAL if certain else csv.QUOTE_NONE
