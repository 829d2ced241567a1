"""Choose a few of the forgotten units to be shown: the most changed, the least changed and typical ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mmulbench.seeds import generator

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 12
"""Most units that are shown: a third of each kind."""

MOST, LEAST, TYPICAL = "most changed", "least changed", "typical"


class PathScore(NamedTuple):
    """Holds a unit's mean association score on one path: before, after, and by retrain where there is one."""

    path: str
    before: float | None
    after: float | None
    retrain: float | None


@dataclass(frozen=True)
class Chosen:
    """Holds a unit that is shown.

    Attributes:
        unit: the unit, numbered as in the task's data.
        kind: why it was chosen.
        scores: its scores by path.
    """

    unit: int
    kind: str
    scores: tuple[PathScore, ...]


@dataclass(frozen=True)
class Ranked:
    """Holds one place of a ranking.

    Attributes:
        text: what is found says, or of a picture what belongs to it; a class's name.
        pictures: what it looks like, as ``data:`` addresses.
        is_true: whether it is right.
        probability: the model's probability of a class; None in retrieval.
    """

    text: str
    pictures: tuple[str, ...]
    is_true: bool
    probability: float | None


@dataclass(frozen=True)
class Ranking:
    """Holds what the models rank first for one query, the best first.

    Attributes:
        title: what is asked.
        before: by the original.
        after: by the unlearned model.
        retrain: by retrain; empty where there is none.
    """

    title: str
    before: tuple[Ranked, ...]
    after: tuple[Ranked, ...]
    retrain: tuple[Ranked, ...]

    @property
    def rows(self) -> list[tuple[int, tuple[Ranked | None, Ranked | None, Ranked | None]]]:
        """Each place with what the original, the unlearned model and retrain have there."""
        rows = zip_longest(self.before, self.after, self.retrain)
        return [(place, (before, after, retrain)) for place, (before, after, retrain) in enumerate(rows, 1)]


@dataclass(frozen=True)
class Example:
    """Holds a unit as it is shown.

    Attributes:
        chosen: the unit, why it was chosen, and its scores.
        pictures: pictures of its first side as ``data:`` addresses.
        name: text of its first side, such as names of a graph's nodes; empty for pictures.
        texts: what was to be forgotten of it, with the class where there are classes.
        more: further texts that are not shown.
        rankings: what the models rank first for it.
    """

    chosen: Chosen
    pictures: tuple[str, ...]
    name: str
    texts: tuple[str, ...]
    more: int
    rankings: tuple[Ranking, ...] = ()


@dataclass(frozen=True)
class Examples:
    """Holds the units that are shown, or why none are.

    Attributes:
        shown: the units.
        reason: why there are none; empty where there are.
        unranked: why no rankings are shown with them; empty where they are.
        among: number of units that these were chosen among, where it is less than all.
    """

    shown: tuple[Example, ...] = ()
    reason: str = ""
    unranked: str = ""
    among: int | None = None


def forget_units(table: pa.Table) -> list[int]:
    """Return the units of the forget set, ascending.

    Args:
        table: scores by unit, see `mmulbench.records.unit_files`.
    """
    return sorted(
        {row["unit"] for row in table.select(["split", "unit"]).to_pylist() if row["split"] == "forget"}
    )


def choose(table: pa.Table, seed: int, among: Collection[int] | None = None) -> list[Chosen]:
    """Choose the units that are shown.

    Paths have scales of their own, so that a unit's change is its mean rank over paths. Typical units are
    drawn from the middle half.

    Args:
        table: scores by unit.
        seed: seed of the run.
        among: units that can be chosen; None for all of the forget set.
    """
    scores = {unit: one for unit, one in _scores(table).items() if among is None or unit in among}
    order = _by_change(scores)
    third = min(SHOWN, len(order)) // 3
    most, least = order[:third], order[len(order) - third :]
    if len(order) <= SHOWN:
        typical = order[third : len(order) - third]
    else:
        quarter = max(third, len(order) // 4)
        middle = order[quarter : len(order) - quarter]
        drawn = generator(seed, "audit examples").permutation(len(middle))[: SHOWN - 2 * third]
        typical = [middle[place] for place in sorted(drawn)]
    kinds = ((MOST, most), (TYPICAL, typical), (LEAST, least))
    return [Chosen(unit, kind, tuple(scores[unit])) for kind, units in kinds for unit in units]


def _scores(table: pa.Table) -> dict[int, list[PathScore]]:
    """Return the scores of the forget set's units by unit."""
    found: dict[int, list[PathScore]] = {}
    names = ("original_score", "score", "retrain_score")
    for row in table.to_pylist():
        if row["split"] == "forget":
            numbers = (None if row[name] is None or np.isnan(row[name]) else row[name] for name in names)
            found.setdefault(row["unit"], []).append(PathScore(row["path"], *numbers))
    return {unit: sorted(of_unit) for unit, of_unit in sorted(found.items())}


def _by_change(scores: dict[int, list[PathScore]]) -> list[int]:
    """Return the units, the most changed first; equal ones in their own order."""
    ranks: dict[int, list[float]] = {unit: [] for unit in scores}
    for path in sorted({one.path for of_unit in scores.values() for one in of_unit}):
        known = {
            unit: abs(one.after - one.before)
            for unit, of_unit in scores.items()
            for one in of_unit
            if one.path == path and one.after is not None and one.before is not None
        }
        for rank, unit in enumerate(sorted(known, key=lambda unit: (known[unit], -unit))):
            ranks[unit].append(rank / len(known))
    return sorted(ranks, key=lambda unit: (-float(np.mean(ranks[unit] or [0.0])), unit))
