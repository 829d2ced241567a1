"""Make the rows of the site's tables: the cells of the leaderboard, what they are sorted by, and links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mmulbench.plain_text import one_line
from mmulbench.report.picture_names import picture_stems
from mmulbench.report.standing import MAIN, Block, Standing
from mmulbench.report.standing_view import Field, View, fields, worth
from mmulbench.site.gather import Row, SiteTable
from mmulbench.site.skeleton import run_address

VIEW = View()
"""The lines and fields that `mmulbench leaderboard` shows unasked."""

DOWNWARDS = ("test",)
"""Columns of which more is better, so that they are sorted downwards first."""

HEADINGS: dict[Block, str] = {
    "reference": "References",
    "ranked": "Ranked",
    "out": "† Out of competition: lost utility",
    "unforgotten": "Never forgot: Df is still known in every seed",
    "no result": "No result",
}
"""Heading of each block of a first table."""

FOLDED: dict[Block, str] = {
    "variant": "Other settings of these methods, ablations among them",
    "outside": "Made elsewhere",
}
"""Heading of each table that is folded, since nothing in it is ranked."""


class Cell(NamedTuple):
    """Holds a cell of a table.

    Attributes:
        text: what it says.
        sort: what its column is sorted by; empty where there is nothing.
        is_best: whether it cannot be told from the best.
        right: whether it is aligned on the right.
    """

    text: str
    sort: str
    is_best: bool
    right: bool


class Link(NamedTuple):
    """Names the page of a run.

    Attributes:
        target: its address, as seen from the first page.
        text: its seed, and which draw of the seed it is where there are several.
        label: what it is, in full.
    """

    target: str
    text: str
    label: str


class ShownRow(NamedTuple):
    """Holds a row as the page shows it.

    Attributes:
        id: its anchor.
        name: what it is called.
        origin: where its settings come from.
        cells: its cells.
        links: the pages of its runs.
    """

    id: str
    name: str
    origin: str
    cells: list[Cell]
    links: list[Link]


class ShownColumn(NamedTuple):
    """Holds the heading of a column.

    Attributes:
        heading: its heading.
        best: direction that puts the best first, as ``aria-sort`` has it.
        is_sorted: whether the rows lie in its order.
        right: whether it is aligned on the right.
    """

    heading: str
    best: str
    is_sorted: bool
    right: bool


class ShownBlock(NamedTuple):
    """Holds rows that stay together when a table is sorted, below their heading."""

    heading: str
    rows: list[ShownRow]


def anchors_of(tables: Sequence[SiteTable]) -> list[str]:
    """Return the anchor of each table, which stays when others are added: links lead to it for good.

    Args:
        tables: all tables of the page.
    """
    keys = [table.standing.key for table in tables]
    stems = picture_stems(keys)
    return [re.sub(r"[^\w.-]", "-", stems[key]) for key in keys]


def columns_of(standing: Standing) -> list[ShownColumn]:
    """Return the headings of a table.

    Args:
        standing: the table.
    """
    return [
        ShownColumn(
            " ".join(one.heading.split()),
            "descending" if one.sort in DOWNWARDS else "ascending",
            one.sort == "gap",
            one.right,
        )
        for one in fields(standing, VIEW)
    ]


def blocks_of(table: SiteTable, anchor: str) -> list[ShownBlock]:
    """Return the blocks of the first table.

    Args:
        table: the table.
        anchor: its anchor, with which those of its rows begin.
    """
    return [ShownBlock(HEADINGS[block], rows) for block in MAIN if (rows := _rows(table, block, anchor))]


def folded_of(table: SiteTable, anchor: str) -> list[ShownBlock]:
    """Return the rows that are not ranked, each kind for a table of its own.

    Args:
        table: the table.
        anchor: its anchor, with which those of its rows begin.
    """
    return [ShownBlock(text, rows) for block, text in FOLDED.items() if (rows := _rows(table, block, anchor))]


def _rows(table: SiteTable, block: Block, anchor: str) -> list[ShownRow]:
    shown = fields(table.standing, VIEW)
    return [
        ShownRow(
            f"{anchor}-{place}",
            row.line.name,
            row.origin,
            [_cell(row, one, table) for one in shown],
            list(_links(row)),
        )
        for place, row in enumerate(table.rows)
        if row.line.block == block
    ]


def _cell(row: Row, field: Field, table: SiteTable) -> Cell:
    key = field.sort
    text = one_line(field.text(row.line))
    if key == "rank":
        sort = text
    elif key in ("method", "verdict"):
        sort = text.casefold()
    else:
        found = worth(row.line, key, table.standing)
        sort = "" if found is None else f"{-found if key in DOWNWARDS else found:.9g}"
    return Cell(text, sort, bool(text) and field.is_best(row.line), field.right)


def _links(row: Row) -> Iterator[Link]:
    """Yield the pages of a row's runs; a seed may have several, which are numbered."""
    draws, often = Counter[int](), Counter(run.spec.seed for run in row.runs)
    for run in row.runs:
        seed = run.spec.seed
        draws[seed] += 1
        text = f"{seed} ({draws[seed]})" if often[seed] > 1 else str(seed)
        yield Link(run_address(run.run_id), text, f"Run of {row.line.name}, seed {text}")
