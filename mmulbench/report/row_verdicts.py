"""Say of a row of a table what the verdicts on its runs come to, over seeds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mmulbench.report.aggregate import MethodRow
from mmulbench.report.floor import Floors
from mmulbench.report.verdict import Kind, judge

WORST_FIRST: tuple[Kind, ...] = (
    "did not forget",
    "over-forgot",
    "cannot be judged",
    "forgot",
    "reference",
    "no result",
)
"""Of verdicts that as many seeds have, the first stands for the row."""


@dataclass(frozen=True)
class RowVerdict:
    """Holds what the verdicts on the runs of a row come to.

    Attributes:
        kind: verdict of most of its seeds.
        seeds: number of seeds that have it.
        of: number of seeds that were judged.
        forgot: number of seeds in which the forget set is not still known.
    """

    kind: Kind
    seeds: int
    of: int
    forgot: int

    @property
    def never_forgot(self) -> bool:
        """Whether the forget set is still known in each of its seeds."""
        return self.of > 0 and self.forgot == 0

    def __str__(self) -> str:
        return self.kind if self.seeds == self.of else f"{self.kind} {self.seeds}/{self.of}"


def row_verdict(row: MethodRow, floors: Floors) -> RowVerdict:
    """Judge the runs of a row, each with the floor that its table knows.

    Args:
        row: the row.
        floors: floors of the runs of its table.
    """
    kinds = [judge(record, floors.of(record)).kind for record in row.done]
    if not kinds:
        return RowVerdict("no result", 0, 0, 0)
    counts = Counter(kinds)
    kind = min(counts, key=lambda one: (-counts[one], WORST_FIRST.index(one)))
    return RowVerdict(kind, counts[kind], len(kinds), len(kinds) - counts["did not forget"])
