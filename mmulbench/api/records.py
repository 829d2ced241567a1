"""Read records as data frames, and make the leaderboard and the figures of them, from Python."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmulbench import defaults
from mmulbench.errors import UsageError, did_you_mean
from mmulbench.plain_text import one_line, visible
from mmulbench.records.record_files import MOST_NAMED, Unreadable
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.validity.sift import load_valid

if TYPE_CHECKING:
    import pandas as pd


class Markdown(str):
    """Holds Markdown text, which a notebook shows as it is meant and ``print`` as it is written."""

    def _repr_markdown_(self) -> str:
        return str(self)


def read_records(folder: Path, task: str | None) -> tuple[list[RunResult], list[Unreadable]]:
    """Read all records of a folder that hold together.

    Args:
        folder: where they are.
        task: only this task's; None for all.

    Returns:
        The records, and the files that are none or do not hold together, both in the order of their paths.

    Raises:
        UsageError: when there are none of the task.
    """
    records, left_out = load_valid(folder, task)
    if task is not None and not records and not left_out:
        known = sorted({record.spec.task for record in ResultsStore(folder).load_all()[0]})
        raise UsageError(f"no records of task {task!r} in {folder}{did_you_mean(task, known)}")
    return records, left_out


def load_records(
    results_dir: str | Path | None = None, *, task: str | None = None, wide: bool = False
) -> pd.DataFrame:
    """Load records as a data frame: one row for each value, or one row for each run.

    Both forms begin with what a run is: ``run_id``, ``task``, ``backbone``, ``method``, ``forget_size``,
    ``seed``, ``status``, ``tuned``, ``metric_version``, ``recipe_version`` and ``data_fingerprint``; values
    of different versions or data are not to be compared. The tidy form goes on with ``metric`` and the fields
    of `mmulbench.records.schema.Value` (``value``, ``retrain``, ``original``, ``low``, ``high``, ``chance``,
    ``n``, ``direction``). The wide form goes on with a column for each metric, then ``cost.seconds`` and the
    other costs, ``config.lr`` and the other settings, and ``reason`` for runs that went wrong.

    Args:
        results_dir: folder of the records; None for MMULBENCH_RESULTS, else ``results``.
        task: only this task's records; None for all.
        wide: whether a run is one row.

    Returns:
        The values; a run without values, because it failed, has rows in the wide form alone.

    Raises:
        UsageError: when there are no records of the task.

    Warns:
        UserWarning: for each file that is no record or does not hold together.
    """
    import pandas as pd

    records = readable_records(results_folder(results_dir), task)
    if wide:
        return pd.DataFrame([_wide(record) for record in records])
    values = [
        {**_identity(record), "metric": name, **value.model_dump()}
        for record in records
        for name, value in record.values.items()
    ]
    return pd.DataFrame(values)


def leaderboard(
    results_dir: str | Path | None = None,
    *,
    task: str | None = None,
    metrics: Sequence[str] | None = None,
    methods: Sequence[str] = (),
    seeds: Sequence[int] = (),
    sort: str = "gap",
    wide: bool = False,
    form: str = "md",
) -> str:
    """Make the tables of ``mmulbench leaderboard``.

    Args:
        results_dir: folder of the records; None for MMULBENCH_RESULTS, else ``results``.
        task: only this task's tables; None for all.
        metrics: headline metrics to show, in this order; None for the usual columns.
        methods: only these, with their ranks among all; all for none.
        seeds: only runs of these; all for none.
        sort: ``gap``, ``method``, ``verdict``, ``attack``, ``test``, ``cost``, or a metric that is shown.
        wide: whether all columns are shown, and other settings of methods.
        form: how they are written, as ``--format`` says it.

    Returns:
        The text; a notebook shows GitHub Markdown as tables.

    Raises:
        UsageError: when there are no records of a task, method or seed, or a metric or form is unknown.
    """
    from mmulbench.api.tables import Wanted, read_tables
    from mmulbench.report.forms import WRITERS, known_form
    from mmulbench.report.page import PageLook
    from mmulbench.report.standing_view import View

    write = WRITERS[known_form(form)]
    chosen = None if metrics is None else tuple(metrics)
    wanted = Wanted(results_folder(results_dir), task, tuple(seeds), chosen)
    view = View(sort, tuple(methods), wide, only_columns=chosen is not None)
    tables = read_tables(wanted, cache=defaults.records_cache())
    text = write(tables, PageLook(view=view, results=wanted.folder))
    return Markdown(text) if form == "md" else text


def plot(
    results_dir: str | Path | None = None,
    *,
    task: str | None = None,
    metric: str | None = None,
    figures: Sequence[str] = (),
    output: str | Path = "plots",
) -> list[Path]:
    """Draw the figures of ``mmulbench plot``.

    Args:
        results_dir: folder of the records; None for MMULBENCH_RESULTS, else ``results``.
        task: only this task's figures; None for all.
        metric: utility beside forgetting; None for test utility.
        figures: names of figures; none for all that can be drawn.
        output: folder of the figures.

    Returns:
        The files that were written, as PNG, SVG, PDF and CSV.

    Raises:
        UsageError: when there is nothing to plot, or a figure or the metric is unknown.
        MmulbenchError: when a file cannot be written.
    """
    from mmulbench.report import plots

    folder = results_folder(results_dir)
    choice = plots.Choice(tuple(figures), metric, folder)
    return plots.write_plots(readable_records(folder, task), Path(output), choice).files


def results_folder(results_dir: str | Path | None) -> Path:
    """Return the folder of records that is meant; None for MMULBENCH_RESULTS, else ``results``."""
    return defaults.results_dir(None if results_dir is None else Path(results_dir))


def readable_records(folder: Path, task: str | None) -> list[RunResult]:
    """Read all records of a folder; a function that users call warns of the files that are none.

    Args:
        folder: where they are.
        task: only this task's; None for all.

    Raises:
        UsageError: when there are none of the task.
    """
    records, left_out = read_records(folder, task)
    for line in left_out_lines(left_out):
        warnings.warn(line, stacklevel=3)
    return records


def left_out_lines(files: Sequence[Unreadable]) -> list[str]:
    """Return one line for each file that tables leave out; of many the first ones, and their number.

    Args:
        files: the files with their reasons.
    """
    lines = [f"left out {visible(str(file.path))}: {one_line(file.reason)}" for file in files[:MOST_NAMED]]
    if len(files) > MOST_NAMED:
        lines.append(f"left out {len(files) - MOST_NAMED:,} more: mmulbench validate names them all")
    return lines


def _identity(record: RunResult) -> dict[str, str | int | bool]:
    spec = record.spec
    return {
        "run_id": record.run_id,
        "task": spec.task,
        "backbone": spec.backbone,
        "method": spec.method,
        "forget_size": spec.forget_size,
        "seed": spec.seed,
        "status": record.status,
        "tuned": record.is_tuned,
        "metric_version": spec.metric_version,
        "recipe_version": spec.recipe_version,
        "data_fingerprint": spec.data_fingerprint,
    }


def _wide(record: RunResult) -> dict[str, Any]:
    cost = {} if record.cost is None else record.cost.model_dump()
    return {
        **_identity(record),
        **{name: value.value for name, value in record.values.items()},
        **{f"cost.{name}": value for name, value in cost.items()},
        **{f"config.{name}": value for name, value in record.spec.config.items()},
        "reason": record.reason,
    }
