"""Write the first page of the site: every table with its answer, its plots, and links to its runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup

from mmulbench.plain_text import one_line, visible
from mmulbench.records.record_files import MOST_NAMED
from mmulbench.report.answer import answer
from mmulbench.report.overall import overall_sentence
from mmulbench.report.standing import listed_seeds
from mmulbench.report.standing_view import notes
from mmulbench.site.gather import Site, SiteTable
from mmulbench.site.points import number_rows, plot_data, summary
from mmulbench.site.rows import VIEW, ShownBlock, ShownColumn, anchors_of, blocks_of, columns_of, folded_of
from mmulbench.site.skeleton import policy, rendered, source


class ShownTable(NamedTuple):
    """Holds a table as the page shows it.

    Attributes:
        anchor: its anchor.
        task: name of its task.
        title: its heading.
        answer: the sentences that answer which method to use.
        columns: the headings of its columns.
        blocks: the blocks of the first table.
        notes: what is to be said below.
        missing: methods without a record.
        folded: tables of rows that are not ranked.
        plots: what the script draws.
        summary: what the plots show, in words.
        numbers: the numbers of the plots.
    """

    anchor: str
    task: str
    title: str
    answer: str
    columns: list[ShownColumn]
    blocks: list[ShownBlock]
    notes: list[str]
    missing: list[str]
    folded: list[ShownBlock]
    plots: dict[str, Any]
    summary: str
    numbers: list[tuple[str, ...]]


def index_page(site: Site, library: str) -> str:
    """Return the page.

    Args:
        site: everything that it says.
        library: script of the library that draws.
    """
    tables = [_shown(*one) for one in zip(site.tables, anchors_of(site.tables), strict=True)]
    scripts = [library, source("tables.js"), source("plots.js")]
    return rendered(
        "index",
        tables=tables,
        tasks=list(dict.fromkeys(table.task for table in tables)),
        runs=len(site.runs),
        overall=site.overall,
        overall_sentence="" if site.overall is None else overall_sentence(site.overall),
        left_out=left_out_lines(site),
        policy=Markup(policy(scripts)),
        scripts=[Markup(one) for one in scripts],
    )


def left_out_lines(site: Site) -> list[str]:
    """Return a line for each file that the site leaves out, by its place in the results folder.

    Args:
        site: what the site says.
    """
    named = site.left_out[:MOST_NAMED]
    lines = [
        f"{visible(one.path.relative_to(site.root).as_posix())}: {one_line(one.reason)}" for one in named
    ]
    if len(site.left_out) > MOST_NAMED:
        lines.append(f"and {len(site.left_out) - MOST_NAMED:,} more: mmulbench validate names them all")
    return lines


def title_of(table: SiteTable) -> str:
    """Return the heading of a table."""
    key = table.standing.key
    return one_line(f"{key.task}, {key.backbone}, {key.forget_text}, {listed_seeds(table.standing)}")


def _shown(table: SiteTable, anchor: str) -> ShownTable:
    standing = table.standing
    return ShownTable(
        anchor,
        one_line(standing.key.task),
        title_of(table),
        one_line(" ".join(answer(standing))),
        columns_of(standing),
        blocks_of(table, anchor),
        [one_line(one) for one in notes(standing, VIEW)],
        [one_line(one) for one in standing.missing],
        folded_of(table, anchor),
        plot_data(table),
        summary(table),
        number_rows(table),
    )
