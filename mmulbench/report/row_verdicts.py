"""Say of a row of a table what the verdicts on its runs come to, over seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mmulbench.report.aggregate import RecordGroup
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


def row_verdicts(group: RecordGroup) -> dict[str, RowVerdict]:
    """Judge the runs of each row that has any, with the floor that their table knows.

    Args:
        group: the table.

    Returns:
        The verdicts by the row's label.
    """
    floors = Floors(group)
    runs = [(row.label, record) for row in group.rows for record in row.done]
    # Runs of one seed are judged one after the other: they share the draws of its forget units.
    runs.sort(key=lambda one: one[1].spec.seed)
    kinds: dict[str, list[Kind]] = {row.label: [] for row in group.rows if row.records}
    for label, record in runs:
        kinds[label].append(judge(record, floors.of(record)).kind)
    return {label: _over_seeds(of_row) for label, of_row in kinds.items()}


def _over_seeds(kinds: Sequence[Kind]) -> RowVerdict:
    """Say what the verdicts on a row's runs come to."""
    if not kinds:
        return RowVerdict("no result", 0, 0, 0)
    counts = Counter(kinds)
    kind = min(counts, key=lambda one: (-counts[one], WORST_FIRST.index(one)))
    return RowVerdict(kind, counts[kind], len(kinds), len(kinds) - counts["did not forget"])
