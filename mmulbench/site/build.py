"""Make all pages of the site, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from mmulbench.audit.examples import Examples
from mmulbench.files import sha256_of
from mmulbench.progress import Track
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.site.gather import Site
from mmulbench.site.index import index_page, title_of
from mmulbench.site.library import drawing_library
from mmulbench.site.rows import anchors_of
from mmulbench.site.run_page import Place, run_page
from mmulbench.site.skeleton import INDEX, run_address

LEFT_OUT = Examples(reason="they are the deleted data, which a site shows only with --examples")
"""Stands in the place of examples where nobody asked for them."""

Finder = Callable[[RunResult, Path], Examples]
"""Finds examples of a record, whose file is given too."""


def pages_of(site: Site, track: Track, find_examples: Finder | None = None) -> Iterator[tuple[str, str]]:
    """Yield the pages by their addresses: the first one, then those of runs.

    The same records give the same pages, letter by letter.

    Args:
        site: everything that they say.
        track: shows how far it is.
        find_examples: finds the examples of a record; None for no examples.

    Raises:
        UsageError: The library that draws is not installed.
        MmulbenchError: A record can no longer be read.
    """
    yield INDEX, index_page(site, drawing_library())
    store = ResultsStore(site.root)
    runs = [
        (anchor, table, row, run)
        for anchor, table in zip(anchors_of(site.tables), site.tables, strict=True)
        for row in table.rows
        for run in row.runs
    ]
    for anchor, table, row, run in track(runs, len(runs), "make pages"):
        path = store.path_of(run)
        examples = LEFT_OUT if find_examples is None else find_examples(run, path)
        place = Place(row.line.name, anchor, title_of(table))
        yield run_address(run.run_id), run_page(run, table.floors.of(run), place, sha256_of(path), examples)
