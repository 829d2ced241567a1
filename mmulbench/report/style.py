"""Give all figures one look: colour-blind-safe colours, a marker for every method, reproducible files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmulbench.files import write_atomically
from mmulbench.hashing import fingerprint

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

BLACK = "#000000"
GREY = "#7f7f7f"
BAND = "#dcdcdc"
"""Shade of what lies below the noise floor."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B8A800")
"""Okabe and Ito's palette without black; its yellow darkened, as it vanishes on white."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "p", ">")
"""Ten markers against seven colours: the first seventy methods differ in their pair."""

SETTINGS: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "svg.hashsalt": "mmulbench",
    "pdf.fonttype": 42,
    "text.parse_math": False,
}
"""Settings for drawing and saving; the salt makes the identifiers in an SVG the same every time. Names of
records are no formulas. Type 42 are outlines that publishers take; matplotlib's own are not."""

FORMS = (
    ("png", "Software", "Description"),
    ("svg", "Date", "Description"),
    ("pdf", "CreationDate", "Subject"),
)
"""Forms of pictures, with the field that would change with time or version, and the field that is set."""

FORMULA_MARKS = ("=", "+", "-", "@")
"""Beginnings of texts that spreadsheets compute instead of showing."""


def save(figure: Figure, table: pd.DataFrame, stem: Path) -> list[Path]:
    """Write a figure as PNG, SVG and PDF and its numbers as CSV; the same input gives the same bytes.

    Each picture holds a digest of the CSV as its description, which PDF calls its subject, so that a picture
    that is older than its numbers is known.

    Args:
        figure: what was drawn.
        table: the numbers that it shows.
        stem: the path of the files, without suffix.

    Raises:
        MmulbenchError: a file cannot be written.
    """
    text = csv_text(table)
    contents: dict[str, bytes] = {}
    for suffix, unwanted, said in FORMS:
        buffer = BytesIO()
        figure.savefig(buffer, format=suffix, metadata={unwanted: None, said: description(text)})
        contents[suffix] = buffer.getvalue()
    contents["csv"] = text.encode()
    paths = [stem.with_name(f"{stem.name}.{suffix}") for suffix in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        write_atomically(path, content, "--output")
    return paths


def description(table: str) -> str:
    """Return what a picture says of the numbers that it shows.

    Args:
        table: the CSV of the picture.
    """
    return f"data {fingerprint(table)[:16]}"


def csv_text(table: pd.DataFrame) -> str:
    """Return the numbers of a picture as the text of its CSV.

    Args:
        table: the numbers.
    """
    text: str = table.map(no_formula).to_csv(index=False, lineterminator="\n")
    return text


def no_formula(cell: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_MARKS) else cell
