"""A site of a few committed records of one table, which is quick to make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from forged import committed, stored

from mmulbench.audit.examples import Examples
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import RecordGroup
from mmulbench.report.floor import Floors
from mmulbench.report.standing import Standing
from mmulbench.site.build import pages_of
from mmulbench.site.gather import Noise, Origin, Row, Site, SiteTable, gather_site

METHODS = ("retrain", "original", "mmul", "scrub")


def small_results(folder: Path, *others: dict[str, Any]) -> Path:
    """A results folder with a record each of four methods on emoji, and others."""
    for fields in (*map(committed, METHODS), *others):
        stored(folder, fields)
    return folder


def pages(
    results: Path | Site, find_examples: Callable[[RunResult, Path], Examples] | None = None
) -> dict[str, str]:
    """The pages of the site of a results folder."""
    site = results if isinstance(results, Site) else gather_site(results)
    return dict(pages_of(site, Progress().track, find_examples))


def table_of(standing: Standing, origin: Origin = "tuned", runs: tuple[RunResult, ...] = ()) -> SiteTable:
    """A table of lines made of a few numbers, all with these runs."""
    rows = tuple(Row(line, origin, runs) for line in standing.lines)
    return SiteTable(standing, rows, Noise(0.02, 0.01), Floors(RecordGroup(standing.key, (), ())))
