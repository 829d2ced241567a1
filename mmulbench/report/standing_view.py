"""Choose what is shown of how methods stand: which lines in which order, which fields, and their texts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.records.published import UTILITY_TOLERANCE
from mmulbench.report.cells import OUT, number, points
from mmulbench.report.noise_floor import GAP
from mmulbench.report.standing import BLOCKS, MAIN, Line, Measure, Shown, Standing, in_words

SORTS = ("gap", "method", "verdict", "attack", "test", "shadows", "cost")
"""What lines may be sorted by besides metrics."""

AS_LONG = 0.995
"""Share of retraining's time from which on a line is shown to take as long: 1.0 times."""


@dataclass(frozen=True)
class View:
    """Says what is shown of tables.

    Attributes:
        sort: one of `SORTS`, or a metric or value; the lines of a block are sorted, blocks stay apart.
        methods: only these; all for none.
        wide: whether all fields are shown, and other settings of the methods.
        only_columns: whether the values that were asked for stand in place of the usual ones.
    """

    sort: str = "gap"
    methods: tuple[str, ...] = ()
    wide: bool = False
    only_columns: bool = False

    @property
    def shows_variants(self) -> bool:
        """Whether other settings of methods are shown."""
        return self.wide or bool(self.methods)


@dataclass(frozen=True)
class Field:
    """Describes a field of a line.

    Attributes:
        heading: its heading; a line break parts two lines.
        text: writes it.
        sort: what lines are sorted by it; empty where they are not.
        is_best: says whether a line cannot be told from the best in it.
        drop: place in the order in which narrow terminals leave fields out, 1 first; 0 stays.
        right: whether it is aligned on the right.
        folds: whether it may take several lines.
    """

    heading: str
    text: Callable[[Line], str]
    sort: str = ""
    is_best: Callable[[Line], bool] = lambda line: False
    drop: int = 0
    right: bool = False
    folds: bool = False


def viewed(standings: Iterable[Standing], view: View) -> list[Standing]:
    """Return tables with the lines that a view shows, in its order; without those that have none.

    Args:
        standings: all tables.
        view: what is shown.

    Raises:
        UsageError: No table has a method, or a value to sort by.
    """
    every = list(standings)
    _refuse_unknown(every, view)
    found = []
    for standing in every:
        lines = [line for line in standing.lines if not view.methods or line.method in view.methods]
        if view.sort != "gap":
            lines = [
                line for block in _blocks(lines) for line in sorted(block, key=_key(view.sort, standing))
            ]
        gone = [one for one in standing.not_applicable if not view.methods or one[0] in view.methods]
        if lines or gone or not view.methods:
            missing = () if view.methods else standing.missing
            found.append(replace(standing, lines=tuple(lines), not_applicable=tuple(gone), missing=missing))
    return found


def _refuse_unknown(standings: Sequence[Standing], view: View) -> None:
    """Refuse names that no table has.

    Raises:
        UsageError: There is one.
    """
    methods = {line.method for one in standings for line in one.lines}
    methods |= {name for one in standings for name, _ in one.not_applicable}
    for name in view.methods:
        if name not in methods:
            raise UsageError(f"no records of method {name!r} here{did_you_mean(name, methods)}")
    sorts = {*SORTS, *(name for one in standings for column in one.columns for name in _names(column))}
    if standings and view.sort not in sorts:
        known = ", ".join([*SORTS, "a metric that is shown"])
        raise UsageError(f"cannot sort by {view.sort!r}{did_you_mean(view.sort, sorts)}; there are {known}")


def _names(column: Shown) -> tuple[str, str]:
    return column.name, column.metric


def _blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """Part lines into those of each block, in their order."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.block, []).append(line)
    return list(found.values())


def _key(sort: str, standing: Standing) -> Callable[[Line], tuple[bool, float, str]]:
    """Return what lines are sorted by, the best first and those without it last."""

    def key(line: Line) -> tuple[bool, float, str]:
        if line.block == "reference":
            return (False, 0.0, "")
        if sort in ("method", "verdict"):
            return (False, 0.0, line.name if sort == "method" else f"{line.verdict}\0{line.name}")
        found = worth(line, sort, standing)
        return (found is None, found or 0.0, line.name)

    return key


def worth(line: Line, sort: str, standing: Standing) -> float | None:
    """Return a number that is the smaller the better a line is by a value; of several paths the worst.

    Args:
        line: the line.
        sort: one of `SORTS` besides ``method`` and ``verdict``, or a metric or value.
        standing: its table.

    Returns:
        The number; None where the line does not have the value.
    """
    if sort == "cost":
        return None if line.ratio is None else line.ratio.mean
    if sort == "shadows":
        return None if line.shadows is None else line.shadows.forget - line.shadows.test
    columns = {"gap": [Shown(GAP, "", "lower")], "test": [Shown("test", "", "higher")]}
    if sort == "attack":
        chosen = [Shown(line.worst, "", "closest_to_retrain")] if line.worst else []
    else:
        chosen = columns.get(sort) or [one for one in standing.columns if sort in _names(one)]
    known = [(one.direction, line.measures[one.name]) for one in chosen if one.name in line.measures]
    worths = [worth for direction, measure in known if (worth := _of(measure, direction)) is not None]
    return max(worths, default=None)


def _of(measure: Measure, direction: str) -> float | None:
    if direction == "closest_to_retrain":
        return measure.distance
    return measure.mean if direction == "lower" else -measure.mean


def fields(standing: Standing, view: View) -> list[Field]:
    """Return the fields of a table's lines.

    Args:
        standing: the table.
        view: what is shown.
    """
    first = [
        Field("#", lambda line: "" if line.rank is None else str(line.rank), "rank", right=True),
        Field("Method", _name, "method", lambda line: line.rank == 1, folds=True),
        Field("Verdict", lambda line: line.verdict, "verdict", folds=True),
    ]
    usual = [
        Field("Gap [95 %]", gap_text, "gap", lambda line: GAP in line.best, right=True),
        Field(
            "Worst attack\n(retrain)", attack_text, "attack", lambda line: line.worst in line.best, folds=True
        ),
        _value_field(Shown("test", "Test\nutility", "not_below_retrain"), drop=2),
    ]
    shown = {GAP, "test"}
    more = [one for one in standing.columns if view.only_columns or one.name not in shown]
    values = [_value_field(column) for column in more] if view.only_columns or view.wide else []
    if not view.only_columns and any(line.shadows for line in standing.of_blocks(*MAIN)):
        values.insert(0, Field("U-LiRA\n(test pairs)", shadows_text, "shadows", drop=1, right=True))
    last = [Field("Time /\nretrain", cost_text, "cost", drop=3, right=True)]
    if view.wide:
        last += [
            Field("Seconds", lambda line: _plain(line.seconds, 1), right=True),
            Field("Settings", lambda line: line.tuned, folds=True),
            Field("Seeds", lambda line: line.seeds, folds=True),
        ]
    return [*first, *([] if view.only_columns else usual), *values, *last]


def _value_field(column: Shown, drop: int = 0) -> Field:
    def text(line: Line) -> str:
        return value_text(line, column)

    heading = column.title.replace(", ", "\n")
    return Field(heading, text, column.name, lambda line: column.name in line.best, drop, right=True)


def _name(line: Line) -> str:
    return f"{line.name}{OUT}" if line.out else line.name


def gap_text(line: Line) -> str:
    """Write the gap of a line and its interval over seeds."""
    measure = line.measures.get(GAP)
    if measure is None:
        return line.absent or "missing"
    if measure.low is None or measure.high is None or line.name == "retrain":
        return short(measure.mean)
    return f"{short(measure.mean)} [{short(max(0.0, measure.low))}, {short(measure.high)}]"


def attack_text(line: Line) -> str:
    """Write the attack's AUC on the worst path beside retrain's."""
    measure = line.measures.get(line.worst)
    if measure is None:
        return "" if line.block == "reference" else line.absent or "missing"
    retrain = "" if measure.retrain is None else f" ({short(measure.retrain)})"
    return f"{line.worst.partition('/')[2]} {short(measure.mean)}{retrain}"


def shadows_text(line: Line) -> str:
    """Write what an attacker with shadow models tells by deleted pairs, and by test pairs."""
    found = line.shadows
    if found is None:
        return "" if line.block == "reference" else line.absent or "missing"
    return f"{short(found.forget)} ({short(found.test)})"


def notes(standing: Standing, view: View) -> Iterator[str]:
    """Yield what is to be said below a table.

    Args:
        standing: the table.
        view: what is shown.
    """
    if not standing.why_not:
        floor = "" if standing.floor is None else f" Noise floor of the gap: {short(standing.floor)}."
        rank = "Rows of one rank cannot be told from its first"
        yield f"{rank}; below the line Df is still known in every seed.{floor}"
    main = standing.of_blocks(*MAIN)
    if any(line.out for line in main):
        lost = f"test or retain over {100 * UTILITY_TOLERANCE:g} points below retrain"
        yield f"{OUT} Out of competition: {lost}."
    for place in dict.fromkeys(line.taken_from for line in main if line.taken_from):
        names = [line.name for line in main if line.taken_from == place]
        yield f"Settings found on {place} and taken over, not tuned here: {', '.join(names)}."
    for models, seeds in dict.fromkeys((one.models, one.seeds) for line in main if (one := line.shadows)):
        yield (
            f"U-LiRA: how well an attacker with {models} shadow models ({in_words(seeds)}) tells models of "
            "the method from retrained ones by deleted pairs; .5 is guessing. What test pairs tell as well "
            "is no leak: the model was changed as a whole."
        )
    for path, seeds in standing.untaught.items():
        yield (
            f"The {path} path says nothing of forgetting ({in_words(seeds)}): there the original learned "
            "next to nothing of which pairs are true."
        )
    if standing.not_applicable:
        gone = "; ".join(f"{name} ({reason})" for name, reason in standing.not_applicable)
        yield f"N/A: {gone}."


def is_below(line: Line) -> bool:
    """Say whether a line stands below the line, with the original: nothing was forgotten."""
    return BLOCKS.index(line.block) >= BLOCKS.index("unforgotten")


def short(value: float, decimals: int = 3) -> str:
    """Write a number without the zero before its point: ``.52``.

    Args:
        value: the number.
        decimals: digits shown.
    """
    text = number(value, decimals)
    return re.sub("^(−?)0[.]", r"\1.", text)


def points_text(difference: float) -> str:
    """Write a difference of shares in points, without a sign where it is positive."""
    return points(difference).removeprefix("+")


def cost_text(line: Line) -> str:
    """Write what a line took of retraining's time."""
    ratio = line.ratio
    if ratio is None or not math.isfinite(ratio.mean):
        return line.absent or ("missing" if line.seconds is None else _plain(line.seconds, 1) + " s")
    return f"{ratio.mean:.1f} ×" if ratio.mean >= AS_LONG else f"{100 * ratio.mean:.2g} %"


def value_text(line: Line, column: Shown) -> str:
    """Write a value of a line, and how it lies to retrain's.

    Args:
        line: the line.
        column: the value.
    """
    measure = line.measures.get(column.name)
    if measure is None:
        return line.absent or "missing"
    if line.name == "retrain" or measure.difference is None or measure.distance is None:
        return short(measure.mean)
    beside = {
        "closest_to_retrain": f" (Δ {short(measure.distance)})",
        "not_below_retrain": f" ({points(measure.difference)})",
    }
    return f"{short(measure.mean)}{beside.get(column.direction, '')}"


def _plain(measure: Measure | None, decimals: int) -> str:
    return "" if measure is None else number(measure.mean, decimals)
