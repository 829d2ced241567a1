"""Write the cells of the leaderboard's tables: a row's numbers as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mmulbench.plain_text import one_line
from mmulbench.records.group_key import GroupKey
from mmulbench.records.schema import Tuning
from mmulbench.report.aggregate import RETRAIN, RETRAIN_AGAIN, MethodRow, SeedSummary
from mmulbench.report.columns import Column, furthest
from mmulbench.report.noise_floor import GAP

DECIMALS = 3
"""Digits shown."""

ARROWS = {"higher": "↑", "lower": "↓", "closest_to_retrain": "→retrain", "not_below_retrain": "≥retrain"}
STATUS_CELL = {"diverged": "diverged", "failed": "failed", "not_applicable": "N/A"}

OUT = "†"
"""Mark of a row that does not compete."""

IN_LINKS = "/:@+~"
"""Marks that a link may hold as they are."""

_MARKS = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)")


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Join the cells of a table's lines, heading first; the first column is text."""
    header, *body = lines
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *body))


def heading(column: Column) -> str:
    """Write the heading of a column, with what is better."""
    return f"{escape(column.title)} {ARROWS[column.direction]}"


def value_cell(row: MethodRow, column: Column, best: bool) -> str:
    """Write a row's value: mean ± deviation over seeds, and in parentheses how it lies to retrain's.

    Args:
        row: the row.
        column: the value.
        best: whether the row cannot be told from the best one.
    """
    text = plain_cell(row, row.summary(column.name))
    if best:
        text = f"**{text}**"
    beside = _beside_retrain(row, column)
    if column.shows_chance and (chance := row.chance(column.name)) is not None:
        beside += f" (chance {number(chance.mean)})"
    return f"{text}{beside}"


def _beside_retrain(row: MethodRow, column: Column) -> str:
    """Write the distance to retrain, the points below or above it, or the range of the noise floor."""
    distance, difference = row.distance(column.name), row.difference(column.name)
    if row.method == RETRAIN_AGAIN and column.name == GAP:
        gaps = [value.value for _, value in row.values(GAP) if value.value is not None]
        return f" ({number(min(gaps))}–{number(max(gaps))})" if gaps else ""
    if row.method == RETRAIN or distance is None or difference is None:
        return ""
    if column.direction == "closest_to_retrain":
        return f" (Δ {number(distance.mean)})"
    if column.direction != "not_below_retrain":
        return ""
    return f" (Δ {number(distance.mean)})" if row.method == RETRAIN_AGAIN else f" ({points(difference.mean)})"


def plain_cell(row: MethodRow, summary: SeedSummary | None, decimals: int = DECIMALS) -> str:
    """Write mean ± deviation, and in how many of the row's seeds it is known where not in all.

    Args:
        row: the row.
        summary: its numbers over seeds; None where there are none.
        decimals: digits shown.
    """
    if summary is None:
        return absent(row)
    text, seeds = mean_and_sd(summary, decimals), len(row.done_seeds)
    return text if summary.n == seeds else f"{text} ({summary.n}/{seeds} seeds)"


def mean_and_sd(summary: SeedSummary, decimals: int = DECIMALS) -> str:
    """Write mean ± deviation, with fewer digits from 100 on.

    Args:
        summary: the numbers over seeds.
        decimals: digits shown.
    """
    decimals = min(decimals, 1) if abs(summary.mean) >= 100 else decimals
    sd = "" if summary.sd is None else f" ± {summary.sd:.{decimals}f}"
    return f"{number(summary.mean, decimals)}{sd}"


def number(value: float, decimals: int = DECIMALS) -> str:
    """Write a number with a proper minus sign.

    Args:
        value: the number.
        decimals: digits shown.
    """
    return f"{value:.{decimals}f}".replace("-", "−")


def points(difference: float) -> str:
    """Write a difference of shares in points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def furthest_cell(row: MethodRow, columns: Sequence[Column]) -> str:
    """Write the path of a metric on which a row is furthest from retrain, with its value there.

    Args:
        row: the row.
        columns: columns of the metric's paths.
    """
    column = furthest(row, columns)
    if column is None or row.method == RETRAIN:
        return "" if row.done else absent(row)
    return f"{escape(column.name.partition('/')[2])}: {value_cell(row, column, best=False)}"


def chance_cells(rows: Iterable[MethodRow], columns: Sequence[Column]) -> list[str]:
    """Write what each value is by chance, on the mean over seeds; empty where nothing says so.

    Args:
        rows: the table's rows; the first that knows a value's chance tells it.
        columns: the values; those with a chance beside each cell are left empty.
    """
    cells = []
    for column in columns:
        known = (row.chance(column.name) for row in rows if not column.shows_chance)
        chance = next((found for found in known if found is not None), None)
        cells.append("" if chance is None else number(chance.mean))
    return cells


def absent(row: MethodRow) -> str:
    """Say why a row has no number: the state of its runs, or missing."""
    if row.done:
        return "missing"
    return STATUS_CELL[row.statuses().most_common(1)[0][0]]


def cost_cell(row: MethodRow) -> str:
    """Write the seconds of a row, and their ratio to retrain's."""
    seconds, ratio = row.cost("seconds"), row.cost("seconds_ratio")
    if seconds is None or ratio is None:
        return plain_cell(row, seconds, 1)
    return f"{plain_cell(row, seconds, 1)} ({number(ratio.mean)} ×)"


def tuned_cell(row: MethodRow, key: GroupKey) -> str:
    """Write `tuned_text` as a cell.

    Args:
        row: the row.
        key: its table.
    """
    return escape(tuned_text(row, key))


def tuned_text(row: MethodRow, key: GroupKey) -> str:
    """Say how many trials a row's settings come from, and of which task, or backbone, where it is another.

    Args:
        row: the row.
        key: its table.
    """
    if not row.done:
        return absent(row)
    if row.is_reference:
        return ""
    found = {record.tuning for record in row.done}
    if found == {None}:
        return "no" if row.is_default else "by hand"
    if len(found) > 1:
        return "differs by seed"
    tuning = found.pop()
    assert tuning is not None
    if tuning.task != key.task:
        return f"{_trials(tuning)}, on {tuning.task}"
    return (
        _trials(tuning) if tuning.backbone == key.backbone else f"{_trials(tuning)}, with {tuning.backbone}"
    )


def _trials(tuning: Tuning) -> str:
    """Say how many trials were done within which budget, and where they were in vain."""
    if tuning.reason is not None:
        return "N/A within the budget"
    trials = f"{tuning.done} of {tuning.trials} trials, budget {tuning.budget:g}"
    if tuning.overridden:
        return f"{trials}, except {', '.join(tuning.overridden)}"
    if tuning.kept_default or not tuning.found:
        trials += ", default kept"
    in_vain = (
        tuning.objective is not None
        and tuning.do_nothing is not None
        and tuning.objective >= tuning.do_nothing
    )
    return f"{trials}, no better than doing nothing" if in_vain else trials


def seeds_text(row: MethodRow, expected: Sequence[int]) -> str:
    """Say how many seeds have numbers and what became of the others: ``2/3 seeds: 21 missing``.

    Args:
        row: the row.
        expected: the seeds of the table.
    """
    statuses = row.statuses()
    if statuses["not_applicable"] == len(row.records):
        return "N/A"
    problems = [f"{listed(missing)} missing"] if (missing := row.missing_seeds(expected)) else []
    for status in STATUS_CELL:
        if seeds := [record.spec.seed for record in row.records if record.status == status]:
            problems.append(f"{STATUS_CELL[status]} {len(seeds)}/{len(expected)} ({listed(seeds)})")
    count = f"{len(row.done_seeds)}/{len(expected)}"
    if row.method == RETRAIN_AGAIN:
        count += f", {len(row.done)} draws"
    return f"{count} seeds: {'; '.join(problems)}" if problems else count


def listed(seeds: Iterable[int]) -> str:
    """Join seeds by commas."""
    return ", ".join(map(str, seeds))


def escape(text: str) -> str:
    r"""Keep free text from being read as Markdown or HTML, or breaking out of a table cell or list item.

    Example:
        >>> escape("<b> | [a](b) of batch_size")
        '&lt;b> \\| \\[a\\](b) of batch_size'
    """
    marked = _MARKS.sub(r"\\\g<0>", one_line(text))
    return marked.replace("&", "&amp;").replace("<", "&lt;")


def code(text: str) -> str:
    """Write free text as code, whatever backticks it holds.

    Example:
        >>> code("a`b")
        '``a`b``'
    """
    line = one_line(text) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{space}{line}{space}{fence}"
