"""``mmulbench data``: what a task needs on disk, and what of it is there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mmulbench.core.data_info import DataInfo, DataReport, plural
from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import TASKS
from mmulbench.errors import UsageError
from mmulbench.plain_text import visible
from mmulbench.progress import make_progress
from mmulbench.setting_values import Overrides
from mmulbench.tables import Column, WholeTable, show, show_line

if TYPE_CHECKING:
    from mmulbench.core.task import Task


def print_info(name: str, plugins: Sequence[Path], *, as_json: bool) -> None:
    """Print what a task, of a plug-in file perhaps, says about its data.

    Args:
        name: registered name of the task.
        plugins: plug-in files, loaded first.
        as_json: whether to print JSON.

    Raises:
        UsageError: The task is unknown or says nothing.
    """
    load_plugins(plugins)
    info = _info(name, TASKS.get(name))
    if as_json:
        print(json.dumps({"task": name, **asdict(info)}, indent=2))
        return
    nothing = ("nothing: the data comes with installed packages",)
    sections = {
        "What it is": (info.about,),
        "Terms": (info.terms,),
        "Where to get it": (info.source,),
        "What to put into the data folder": info.layout or nothing,
    }
    if info.hub:
        sections["Or from a hub, with --set task.hub=NAME"] = info.hub
    show(Text.assemble((name, "bold"), f": {TASKS.describe(name)}"))
    for title, lines in sections.items():
        show("", Text(title, style="bold"))
        show_line(*lines)
    if info.sizes:
        show("", _sizes(info, None))
    if info.layout:
        show_line(
            "",
            "The data folder is that of --data-dir, of MMULBENCH_DATA, or ./data. When the data is there: "
            f"mmulbench data check {name}",
            f"The task {info.offline} needs no data folder.",
        )


def print_check(
    name: str,
    data_dir: Path,
    plugins: Sequence[Path],
    *,
    hub: str = "",
    settings: Sequence[str] = (),
    as_json: bool,
) -> int:
    """Print what of a task's data is there.

    Args:
        name: registered name of the task.
        data_dir: the data folder.
        plugins: plug-in files, loaded first.
        hub: the data set on a hub, or its folder, that is read instead; empty for local files.
        settings: ``task.key=value`` texts.
        as_json: print JSON.

    Returns:
        0, or 1 where something is missing or damaged.

    Raises:
        UsageError: the task is unknown or says nothing about its data, a setting is wrong, or nothing of the
            data is there.
        MmulbenchError: the annotations cannot be read.
    """
    load_plugins(plugins)
    cls = TASKS.get(name)
    info = _info(name, cls)
    chosen = [*settings, *([f"task.hub={hub}"] if hub else [])]
    task = cls(Overrides(chosen, []).task(cls.Config()))
    with make_progress(bars=not as_json) as progress:
        report = task.check(data_dir, progress)
    short = report.short_of(info)
    if as_json:
        found = _as_json(name, data_dir, hub, info, report, short)
        print(json.dumps({**found, "settings": list(settings)}, indent=2))
    else:
        place = ", ".join([hub or str(data_dir.absolute()), *settings])
        _print_report(name, place, info, report, short)
    return int(bool(short or report.problems))


def _info(name: str, cls: type[Task]) -> DataInfo:
    if cls.info is None:
        raise UsageError(
            f"task {name} says nothing about its data: whoever wrote it can set {cls.__name__}.info to a "
            "mmulbench.core.data_info.DataInfo"
        )
    return cls.info


def _print_report(name: str, place: str, info: DataInfo, report: DataReport, short: list[str]) -> None:
    if info.layout:
        show_line(f"{name} in {place}")
    show(_sizes(info, report))
    for title, lines in (
        ("Left out", [f"{_count(count, info.pair)}: {why}" for why, count in report.dropped.items()]),
        ("A sample", list(report.sample)),
        ("Worth a look", list(report.notes)),
        ("Missing or damaged", [*short, *report.problems]),
    ):
        if lines:
            show("", Text(title, style="bold"))
            show_line(*map(visible, lines))
    count = len(short) + len(report.problems)
    show("", "All is there." if not count else f"Not complete: {count:,} lines above say what is missing.")


def _sizes(info: DataInfo, report: DataReport | None) -> WholeTable:
    """Units and pairs by split: how many there should be and, after a check, how many there are."""
    titles = [plural(info.unit), plural(info.pair)]
    compared = report is not None and bool(info.sizes)
    names = [name for title in titles for name in (title, "expected")] if compared else titles
    table = WholeTable((Column("Split"), *(Column(name, right=True) for name in names)))
    splits = info.sizes if report is None else report.counts
    for split in splits:
        expected = info.sizes.get(split, (None, None))
        if report is None:
            cells = [_number(count) for count in expected]
        else:
            found = report.counts[split]
            pairs = zip(found, expected, strict=True)
            cells = [_number(n) for pair in pairs for n in (pair if compared else pair[:1])]
        table.add_row(split, *cells)
    return table


def _count(number: int, name: str) -> str:
    return f"{number:,} {name if number == 1 else plural(name)}"


def _number(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"


def _as_json(
    name: str, data_dir: Path, hub: str, info: DataInfo, report: DataReport, short: list[str]
) -> dict[str, Any]:
    splits = {}
    for split, found in report.counts.items():
        expected = info.sizes.get(split, (None, None))
        splits[split] = {
            "units": found[0],
            "pairs": found[1],
            "expected_units": expected[0],
            "expected_pairs": expected[1],
        }
    return {
        "task": name,
        "data_dir": str(data_dir.absolute()),
        "hub": hub,
        "complete": not (short or report.problems),
        "unit": info.unit,
        "pair": info.pair,
        "splits": splits,
        "left_out": dict(report.dropped),
        "short": short,
        "problems": list(report.problems),
        "sample": list(report.sample),
        "notes": list(report.notes),
    }
