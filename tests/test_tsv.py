"""Whether quotation marks of a table are text, or quote its cells as CSV does."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from mmulbench import csv_quoting

HARD = ['"', '""', '"all of it"', 'a "part"', '"begin', 'end"', '"a" and "b"', "none", "it's"]


def read(text: str) -> list[list[str]]:
    lines = text.split("\n")
    return list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv_quoting(lines)))


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL])
@pytest.mark.parametrize("text", HARD)
def test_what_pandas_quotes_is_unquoted(text, quoting):
    table = pd.DataFrame({"text": [text, "plain"], "class": ["1", "0"]})
    written = table.to_csv(sep="\t", index=False, quoting=quoting)
    assert read(written) == [["text", "class"], [text, "1"], ["plain", "0"]]


@pytest.mark.parametrize("text", HARD[1:])
def test_beside_a_cell_that_is_not_quoted_all_are_text(text):
    assert read(f'text\tclass\n{text}\t1\nsaid "so"\t0\n')[1:] == [[text, "1"], ['said "so"', "0"]]


@pytest.mark.parametrize("text", ['"all of it"', '"begin', 'a "part"', '"'])
def test_a_table_written_without_quoting_is_text(text):
    assert read(f"text\tclass\n{text}\t1\n")[1] == [text, "1"]


def test_a_quoted_cell_over_several_lines_is_not_taken_for_csv():
    assert csv_quoting(["text\tclass", '"one ""line""', 'and another"\t1']) == csv.QUOTE_NONE
