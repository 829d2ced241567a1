"""Choose the figures of records and write them, without pyplot and its global state."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.files import disk_errors
from mmulbench.metrics.catalogue import with_role
from mmulbench.records.printable import printable
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import group_records
from mmulbench.report.columns import choose_columns, recorded_directions
from mmulbench.report.figures.agreement import agreement_figure
from mmulbench.report.figures.cost import cost_figure
from mmulbench.report.figures.forgetting import forgetting_figure
from mmulbench.report.figures.paths import paths_figure
from mmulbench.report.figures.picture import Absent, Picture, Subject
from mmulbench.report.figures.recovery import recovery_figure
from mmulbench.report.figures.roc import roc_figure
from mmulbench.report.figures.scores import score_figures
from mmulbench.report.figures.sizes import sizes_figure
from mmulbench.report.picture_names import family_stems, picture_stems
from mmulbench.report.style import SETTINGS, csv_text, description, save

Drawn = Picture | list[Picture] | Absent

FIGURES: Mapping[str, Callable[[Subject], Drawn]] = {
    "forgetting": forgetting_figure,
    "scores": score_figures,
    "cost": cost_figure,
    "paths": paths_figure,
    "roc": roc_figure,
    "sizes": sizes_figure,
    "recovery": recovery_figure,
    "agreement": agreement_figure,
}
"""The figures by their names, in the order in which they are written."""

OVER_SIZES = "sizes"
"""The figure that is of all tables that differ in their forget size alone; the others are of one."""


@dataclass(frozen=True)
class Choice:
    """Says what is drawn.

    Attributes:
        figures: names of figures; all for none.
        metric: the utility beside forgetting; test utility for None.
        results: the results folder, where scores by unit lie beside the records; None where it is unknown.
    """

    figures: tuple[str, ...] = ()
    metric: str | None = None
    results: Path | None = None


class Written(NamedTuple):
    """Holds what became of figures.

    Attributes:
        files: the files.
        left_out: by figure and reason, the tables that it could not be drawn of.
    """

    files: list[Path]
    left_out: dict[tuple[str, str], list[str]]


def _ignore(_path: Path) -> None:
    """Do nothing with a file that was written."""


def write_plots(
    records: Sequence[RunResult],
    output: Path,
    choice: Choice | None = None,
    tell: Callable[[Path], None] = _ignore,
) -> Written:
    """Write the figures of every table.

    Args:
        records: runs of any status; rows without numbers are named below the axes.
        output: the folder for the files; made if it does not exist.
        choice: what is drawn; everything for None.
        tell: called with each file when it is written.

    Returns:
        The files, ``<task>-<backbone>-<forget size>-<figure>.<png|svg|pdf|csv>``, and what could not be
        drawn. The name of ``sizes`` has no forget size. Further sheets of scores are ``scores-2`` and so on;
        those of an earlier call that had more are removed. Where tables differ in something else, 8 digits
        of a fingerprint of their key follow the forget size.

    Raises:
        UsageError: a figure or the metric is unknown, no run is done, or nothing can be drawn.
        MmulbenchError: a file cannot be written.
    """
    import matplotlib as mpl

    choice = choice or Choice()
    for name in choice.figures:
        if name not in FIGURES:
            raise UsageError(f"unknown figure {name!r}{did_you_mean(name, FIGURES)}")
    found = Written([], {})
    with mpl.rc_context(SETTINGS):
        for stem, names, subject in _subjects(records, choice, choice.figures or tuple(FIGURES)):
            for name in names:
                drawn = FIGURES[name](subject)
                if isinstance(drawn, Absent):
                    found.left_out.setdefault((name, drawn.reason), []).append(stem)
                    continue
                files = list(_write(drawn, output / f"{stem}-{name}", tell))
                found.files.extend(files)
                _remove_sheets(output / f"{stem}-{name}", files)
    if not found.files:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found.left_out)
        raise UsageError(f"nothing to plot: {reasons}")
    return found


def picture_descriptions(records: Sequence[RunResult], kinds: Collection[str]) -> dict[str, str]:
    """Return what the pictures of one table say of the numbers that they show, without drawing them.

    Args:
        records: the runs of the table, or of all forget sizes for the picture that compares them.
        kinds: kinds of pictures, such as ``forgetting`` or ``scores-2``.

    Returns:
        What `mmulbench.report.style.description` says, by kind; nothing of those that cannot be drawn.
    """
    wanted = {kind.partition("-")[0] for kind in kinds}
    return {
        kind: description(csv_text(picture.table))
        for _, names, subject in _subjects(records, Choice(), wanted)
        for name in names
        if not isinstance(drawn := FIGURES[name](subject), Absent)
        for kind, picture in _numbered(name, drawn)
        if kind in kinds
    }


def _subjects(
    records: Sequence[RunResult], choice: Choice, names: Collection[str]
) -> Iterator[tuple[str, list[str], Subject]]:
    """Yield what is drawn, with the beginning of its files' names and the figures that it has.

    Raises:
        UsageError: the metric is unknown, or no run is done.
    """
    records = [printable(record) for record in records]
    utility = with_role("utility")[0].name if choice.metric is None else choice.metric
    (retention,) = choose_columns([utility], recorded_directions(records))
    groups = [group for group in group_records(records) if any(row.done for row in group.rows)]
    if not groups:
        what = "no run is done" if records else "there are no records"
        raise UsageError(f"{what}: nothing to plot; `mmulbench run --task TASK --method METHOD` makes one")
    by_key = {group.key: group for group in groups}
    for key, stem in picture_stems(by_key).items():
        wanted = [name for name in FIGURES if name in names and name != OVER_SIZES]
        yield stem, wanted, Subject((by_key[key],), retention, choice.results)
    for stem, keys in family_stems(by_key).items() if OVER_SIZES in names else ():
        yield stem, [OVER_SIZES], Subject(tuple(by_key[key] for key in keys), retention, choice.results)


def _numbered(name: str, drawn: Picture | list[Picture]) -> Iterator[tuple[str, Picture]]:
    """Yield each picture of a figure by its kind: the sheets after the first have a number."""
    for number, picture in enumerate(drawn if isinstance(drawn, list) else [drawn], start=1):
        yield name if number == 1 else f"{name}-{number}", picture


def _write(drawn: Picture | list[Picture], path: Path, tell: Callable[[Path], None]) -> Iterator[Path]:
    """Write the pictures of a figure, and yield their files."""
    for kind, picture in _numbered(path.name, drawn):
        for file in save(picture.draw(), picture.table, path.with_name(kind)):
            tell(file)
            yield file


def _remove_sheets(path: Path, written: Sequence[Path]) -> None:
    """Remove the further sheets of a figure that an earlier call wrote, and this one did not.

    Raises:
        MmulbenchError: A file cannot be removed.
    """
    sheet = re.compile(rf"{re.escape(path.name)}-[0-9]+\.(png|svg|pdf|csv)")
    for file in sorted(path.parent.iterdir()):
        if sheet.fullmatch(file.name) and file not in written:
            with disk_errors("remove", file):
                file.unlink()
