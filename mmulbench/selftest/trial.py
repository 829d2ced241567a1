"""Compare what is said of planted models with the truth table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mmulbench.metrics.catalogue import ORDER
from mmulbench.progress import Progress
from mmulbench.selftest.expectations import KEPT, RANKS, ROWS, UTILITIES, VERDICTS
from mmulbench.selftest.judged import Judged, judge
from mmulbench.selftest.planted import PLANTED
from mmulbench.selftest.row import Row

VERDICT, RANK = "verdict", "rank by "


@dataclass(frozen=True)
class Statement:
    """Holds what one measure says of one planted model, beside what it should say.

    Attributes:
        planted: name of the model.
        measure: name of a value, perhaps less retrain's; ``verdict``; or ``rank by`` and a value.
        expected: what is true; empty where nobody knows, as of a plug-in's metric.
        found: what is said.
        holds: whether that is true, None where nobody knows.
    """

    planted: str
    measure: str
    expected: str
    found: str
    holds: bool | None


def try_metrics(progress: Progress) -> list[Statement]:
    """Have all metrics, the verdict and the ranking judge the planted models.

    Args:
        progress: display of a bar.

    Returns:
        Statements by model, in the order of `PLANTED`; those of metrics that are not built in come last.

    Raises:
        MmulbenchError: a metric fails on a planted model.
    """
    judged = judge(progress)
    return [
        statement
        for planted in PLANTED
        for part in (_of_values, _of_report, _of_others)
        for statement in part(judged, planted.name)
    ]


def _of_values(judged: Judged, planted: str) -> Iterator[Statement]:
    for row in ROWS:
        found = judged.number(planted, row.value, beside_retrain=row.beside_retrain)
        low, high = row.expected(planted)
        expected = f"{low:.2f} to {high:.2f}"
        holds = found is not None and low <= found <= high
        yield Statement(planted, _measure(row), expected, _text(found), holds)


def _of_report(judged: Judged, planted: str) -> Iterator[Statement]:
    forgetting, utility = judged.verdict(planted)
    if planted in VERDICTS:
        holds = bool({forgetting, forgetting.partition(" (")[0]} & set(VERDICTS[planted].split(" or ")))
        yield Statement(planted, VERDICT, VERDICTS[planted], forgetting, holds)
    kept = UTILITIES.get(planted, KEPT)
    yield Statement(planted, f"{VERDICT} on utility", kept, utility, utility == kept)
    for key, expected in RANKS.items():
        if planted in expected:
            found = judged.rank(planted, key)
            yield Statement(planted, f"{RANK}{key}", expected[planted], found, found == expected[planted])


def _of_others(judged: Judged, planted: str) -> Iterator[Statement]:
    for name in judged.names():
        if name.partition("/")[0] not in ORDER:
            yield Statement(planted, name, "", _text(judged.number(planted, name)), None)


def _measure(row: Row) -> str:
    return f"{row.value} - retrain" if row.beside_retrain else row.value


def _text(number: float | None) -> str:
    return "none" if number is None else f"{number:.3f}"
