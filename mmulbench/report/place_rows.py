"""Judge the rows of a table, rank them, and say how their methods stand."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmulbench.plain_text import one_line
from mmulbench.report.aggregate import ORIGINAL, MethodRow, RecordGroup, SeedSummary
from mmulbench.report.cells import STATUS_CELL, seeds_text, tuned_text
from mmulbench.report.columns import Column, choose_columns, furthest, part_columns
from mmulbench.report.differences import half_width
from mmulbench.report.noise_floor import GAP, GAP_ATTACK, NoiseFloor
from mmulbench.report.ranking import RANKED, Ranking, rank
from mmulbench.report.row_verdicts import RowVerdict, row_verdicts
from mmulbench.report.shadow_rows import strongest
from mmulbench.report.short_names import short_names
from mmulbench.report.standing import BLOCKS, Block, Line, Measure, Shown, Standing
from mmulbench.report.untaught import untaught_in

ESSENTIAL = (GAP, "test", "retain", "forget", GAP_ATTACK)
"""Metrics that are known of every line, whatever columns are shown."""


@dataclass(frozen=True)
class Judged:
    """Holds what a table's rows come to.

    Attributes:
        ranking: who is best and who does not compete.
        verdicts: by label, what the verdicts on a row's runs come to.
    """

    ranking: Ranking
    verdicts: Mapping[str, RowVerdict]


def judge_rows(group: RecordGroup, columns: Sequence[Column]) -> Judged:
    """Judge and rank the rows of a table.

    Args:
        group: the runs.
        columns: values to rank by besides the gap, one for each path.
    """
    verdicts = row_verdicts(group)
    never = {label for label, verdict in verdicts.items() if verdict.never_forgot}
    keys = dict.fromkeys([GAP, *(column.name for column in columns if column.metric in RANKED)])
    return Judged(rank(group, [*keys], never), verdicts)


def standing_of(group: RecordGroup, columns: Sequence[Column], judged: Judged) -> Standing:
    """Say how the methods of a table stand.

    Args:
        group: the runs.
        columns: the values that are asked for, one for each path.
        judged: what the rows come to.
    """
    competing = group.competing()
    names = short_names(group.rows, competing)
    main = {row.label for row in competing}
    rows = [row for row in group.rows if row.records]
    applicable = [row for row in rows if row.statuses()["not_applicable"] < len(row.records)]
    essential = part_columns(choose_columns(ESSENTIAL, {}), [one for row in rows for one in row.done])
    known = list({column.name: column for column in [*columns, *essential]}.values())
    lines = [
        _line(row, one_line(names[row.label]), _block(row, main, judged), group, known, judged)
        for row in applicable
    ]
    lines.sort(key=lambda line: (BLOCKS.index(line.block), line.block != "reference" and line.gap, line.name))
    floor = NoiseFloor.of(group, GAP)
    return Standing(
        group.key,
        group.seeds,
        tuple(Shown(column.name, column.title, column.direction) for column in columns),
        _references_first(lines, group),
        tuple(dict.fromkeys((row.method, _reason(row)) for row in rows if row not in applicable)),
        tuple(row.method for row in group.rows if not row.records),
        judged.ranking.why_not,
        None if floor is None else floor.mean,
        _untaught(group),
    )


def _untaught(group: RecordGroup) -> dict[str, tuple[int, ...]]:
    """Say on which paths an original learned next to nothing, with the seeds."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for row in group.rows:
        for record in row.done:
            for one in untaught_in(record):
                found[one.path].add(record.spec.seed)
    return {path: tuple(sorted(seeds)) for path, seeds in sorted(found.items())}


def _references_first(lines: Sequence[Line], group: RecordGroup) -> tuple[Line, ...]:
    """Put retrain before its other draws, as the group has them."""
    order = {row.method: place for place, row in enumerate(group.rows)}
    return tuple(
        sorted(lines, key=lambda line: order[line.method] if line.block == "reference" else math.inf)
    )


def _block(row: MethodRow, main: set[str], judged: Judged) -> Block:
    """Say where a row stands."""
    if row.is_reference:
        return "unforgotten" if row.method == ORIGINAL else "reference"
    if row.is_outside:
        return "outside"
    if row.label not in main:
        return "variant"
    if not row.done:
        return "no result"
    if judged.verdicts[row.label].never_forgot:
        return "unforgotten"
    return "out" if row.label in judged.ranking.out else "ranked"


def _line(
    row: MethodRow, name: str, block: Block, group: RecordGroup, columns: Sequence[Column], judged: Judged
) -> Line:
    """Say how a row stands, by these values and the attack's on each path."""
    ranking = judged.ranking
    attacks = [column for column in columns if column.metric == GAP_ATTACK]
    worst = None if row.is_reference and row.method != ORIGINAL else furthest(row, attacks)
    best = () if block != "ranked" else tuple(key for key in ranking.best if row.label in ranking.best[key])
    names = sorted(column.name for column in columns)
    found = {key: measure for key in names if (measure := _measure(row, key)) is not None}
    return Line(
        name=name,
        method=one_line(row.method),
        block=block,
        rank=ranking.ranks.get(row.label) if block == "ranked" else None,
        verdict=_verdict(row, judged.verdicts[row.label]),
        out=ranking.out.get(row.label, ""),
        measures=found,
        worst=worst.name if worst is not None else "",
        seconds=measure_of(row.cost("seconds")),
        ratio=measure_of(row.cost("seconds_ratio")),
        tuned=one_line(tuned_text(row, group.key)),
        seeds=seeds_text(row, group.seeds),
        best=best,
        absent="" if row.done else STATUS_CELL[row.statuses().most_common(1)[0][0]],
        taken_from=_taken_from(row, group),
        shadows=strongest(row),
    )


def _taken_from(row: MethodRow, group: RecordGroup) -> str:
    """Name the task and backbone whose study found a row's settings, where that is another."""
    found = {record.tuning for record in row.done if record.is_tuned}
    own = group.key.task, group.key.backbone
    places = sorted({place for one in found if one and (place := (one.task, one.backbone)) != own})
    return one_line(" and ".join(f"{task} with {backbone}" for task, backbone in places))


def _verdict(row: MethodRow, verdict: RowVerdict) -> str:
    if row.is_reference and row.method != ORIGINAL:
        return "reference"
    return str(verdict) if row.done else STATUS_CELL[row.statuses().most_common(1)[0][0]]


def _measure(row: MethodRow, key: str) -> Measure | None:
    """Measure a value of a row over its seeds; None where no seed has it."""
    found = measure_of(row.summary(key))
    if found is None:
        return None
    retrain = SeedSummary.of(value.retrain for _, value in row.values(key) if value.retrain is not None)
    difference, distance = row.difference(key), row.distance(key)
    return Measure(
        found.mean,
        found.sd,
        found.n,
        found.low,
        found.high,
        None if retrain is None else retrain.mean,
        None if difference is None else difference.mean,
        None if distance is None else distance.mean,
    )


def _reason(row: MethodRow) -> str:
    """Say why a method has no meaning here."""
    reasons = dict.fromkeys(one_line(record.reason or "no reason recorded") for record in row.records)
    return "; ".join(reasons)


def measure_of(summary: SeedSummary | None) -> Measure | None:
    """Return a summary over seeds with its interval; None where there is none.

    Args:
        summary: the numbers over seeds.
    """
    if summary is None:
        return None
    if summary.sd is None:
        return Measure(summary.mean, None, summary.n, None, None)
    half = float(half_width(summary.sd, summary.n))
    return Measure(summary.mean, summary.sd, summary.n, summary.mean - half, summary.mean + half)
