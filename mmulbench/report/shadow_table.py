"""Render what an attacker with shadow models can tell: one table for each association path."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import RETRAIN, MethodRow, RecordGroup
from mmulbench.report.cells import absent, escape, markdown, number, seeds_text
from mmulbench.report.shadow_rows import over_models

Cells = tuple[tuple[str, str, str], ...]

COLUMNS: Cells = (
    ("u_lira", "", "U-LiRA, centred →retrain"),
    ("u_lira", "/forget", "U-LiRA, Df"),
    ("u_lira", "/test", "U-LiRA, test (control)"),
    ("u_lira", "/difference", "difference →retrain"),
    ("lira", "", "LiRA →retrain"),
    ("rmia", "", "RMIA →retrain"),
    ("klom", "", "KLOM above chance ↓"),
)
"""Metric, part of it on a path, and heading."""

CAPTION = (
    "An AUC of .5 is guessing. Read Df beside the control on test pairs, which no model has seen: what these "
    "tell as well is no leak. Centred: each model's mean confidence in test pairs is subtracted first, so a "
    "shift of all pairs is none; shifts that differ from pair to pair stay. In brackets are 95 % intervals "
    "by the jackknife over models."
)


def shadow_tables(group: RecordGroup) -> list[str]:
    """Render the tables of runs that were judged by equally many shadow models.

    Args:
        group: the runs.

    Returns:
        Parts of the page, none where no value is known.
    """
    records = [record for row in group.rows for record in row.done]
    paths = sorted({name.split("/")[1] for record in records for name in record.values if _on_path(name)})
    found = [f"On the {escape(path)} path:\n\n{_table(group, path)}" for path in paths]
    return [CAPTION, *found] if found else []


def _on_path(name: str) -> bool:
    metrics = {metric for metric, _, _ in COLUMNS}
    return name.count("/") == 1 and name.split("/")[0] in metrics


def _table(group: RecordGroup, path: str) -> str:
    lines = [["Method", *(title for _, _, title in COLUMNS), "Seeds"]]
    if group.row_of(RETRAIN) is None and (reference := _reference(group)) is not None:
        cells = [_of_retrain(reference, f"{metric}/{path}{part}") for metric, part, _ in COLUMNS]
        lines.append([RETRAIN, *cells, ""])
    for row in group.rows:
        cells = [_cell(row, metric, f"{metric}/{path}{part}") for metric, part, _ in COLUMNS]
        lines.append([escape(row.label), *cells, seeds_text(row, group.seeds)])
    return markdown(lines)


def _reference(group: RecordGroup) -> MethodRow | None:
    """Return the row whose records tell what a second population of retrains gives: that with most seeds."""
    rows = [row for row in group.rows if row.done]
    return max(rows, key=lambda row: len(row.done_seeds), default=None)


def _of_retrain(row: MethodRow, key: str) -> str:
    known = [value.retrain for _, value in row.values(key) if value.retrain is not None]
    return number(sum(known) / len(known)) if known else ""


def _cell(row: MethodRow, metric: str, key: str) -> str:
    """Write the mean over seeds with its interval, or why there is none."""
    found = over_models(row, key)
    if found is None:
        return _needs(row.done, metric) or absent(row)
    ends = "" if found.low is None or found.high is None else f" [{number(found.low)}, {number(found.high)}]"
    return f"{number(found.mean)}{ends}"


def _needs(records: Sequence[RunResult], metric: str) -> str:
    """Say how many models a refused value takes, as its record does; empty where it does not."""
    for record in records:
        for line in record.missing:
            if line.startswith(f"{metric}:") and (found := re.search(r"at least (\d+)", line)):
                return f"needs {found[1]} models"
    return ""
