"""Hold how the methods of a table stand: their blocks, ranks, verdicts and numbers, before any is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mmulbench.records.group_key import GroupKey
from mmulbench.records.schema import Direction
from mmulbench.report.noise_floor import GAP

Block = Literal["reference", "ranked", "out", "unforgotten", "no result", "variant", "outside"]
"""Where a line stands: above the line, out of competition, or below the line, where nothing was forgotten."""

BLOCKS: tuple[Block, ...] = ("reference", "ranked", "out", "unforgotten", "no result", "variant", "outside")
"""The blocks in the order of a table."""

MAIN = BLOCKS[:5]
"""Blocks of the first table; other settings and models from elsewhere have tables of their own."""


@dataclass(frozen=True)
class Shown:
    """Describes a value that was asked for.

    Attributes:
        name: key of the value in records, such as ``test`` or ``mia/matching``.
        title: heading of its column.
        direction: what is better.
    """

    name: str
    title: str
    direction: Direction

    @property
    def metric(self) -> str:
        """Name of the metric, without path or modality."""
        return self.name.split("/")[0]


@dataclass(frozen=True)
class Measure:
    """Holds a value over seeds.

    Attributes:
        mean: its mean.
        sd: sample standard deviation; None for a single seed.
        n: number of seeds.
        low: lower end of the 95 % t interval over seeds; None for a single seed.
        high: upper end.
        retrain: mean of retrain's values; None where it is unknown.
        difference: mean of value - retrain, seed by seed.
        distance: mean of |value - retrain|, seed by seed.
    """

    mean: float
    sd: float | None
    n: int
    low: float | None
    high: float | None
    retrain: float | None = None
    difference: float | None = None
    distance: float | None = None


@dataclass(frozen=True)
class ShadowAttack:
    """Holds by how much an attacker with shadow models tells unlearned models from retrained ones: U-LiRA.

    An AUC of .5 is guessing. What he tells by pairs that no model has seen is no leak of the deleted ones:
    the model was changed as a whole.

    Attributes:
        path: association path on which deleted pairs tell most beyond test pairs.
        models: number of shadow models.
        seeds: seeds that were attacked with them.
        forget: AUC by deleted pairs, the mean over seeds.
        low: lower end of its 95 % interval by the jackknife over models; None where it is unknown.
        high: upper end.
        test: AUC by test pairs, the control.
    """

    path: str
    models: int
    seeds: tuple[int, ...]
    forget: float
    low: float | None
    high: float | None
    test: float


@dataclass(frozen=True)
class Line:
    """Holds what is known of a row of a table.

    Attributes:
        name: what it is called there.
        method: its method.
        block: where it stands.
        rank: its rank by the gap, which it shares with a row that it cannot be told from; None where none.
        verdict: what the verdicts on its runs come to.
        out: which utility it lost, so that it does not compete; empty where none.
        measures: its values by name.
        worst: name of the attack's value on the path that is furthest from retrain; empty where none is.
        seconds: seconds of unlearning.
        ratio: their ratio to retrain's.
        tuned: where its settings come from.
        seeds: which seeds it has.
        best: names of the values in which it cannot be told from the best.
        absent: what became of its runs where none has numbers; empty where one has.
        taken_from: task and backbone whose study found its settings, where that is another; else empty.
        shadows: what an attacker with shadow models tells; None where none was asked.
    """

    name: str
    method: str
    block: Block
    rank: int | None
    verdict: str
    out: str
    measures: Mapping[str, Measure]
    worst: str
    seconds: Measure | None
    ratio: Measure | None
    tuned: str
    seeds: str
    best: tuple[str, ...]
    absent: str
    taken_from: str = ""
    shadows: ShadowAttack | None = None

    @property
    def gap(self) -> float:
        """Mean distance to retrain; infinite where it is unknown, so that such lines come last."""
        return self.measures[GAP].mean if GAP in self.measures else math.inf


@dataclass(frozen=True)
class Standing:
    """Holds how the methods of one table stand.

    Attributes:
        key: what the records share.
        seeds: seeds of the table.
        columns: the values that were asked for, one for each path.
        lines: the rows, in the order of `BLOCKS` and by the gap.
        not_applicable: methods that have no meaning on the task, with the reason.
        missing: methods without a record.
        why_not: why nothing is ranked; empty where something is.
        floor: gap of another retrain, the noise floor; None where it is unknown.
        untaught: by path on which an original learned next to nothing, the seeds of these originals.
    """

    key: GroupKey
    seeds: tuple[int, ...]
    columns: tuple[Shown, ...]
    lines: tuple[Line, ...]
    not_applicable: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    why_not: str
    floor: float | None
    untaught: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def of_blocks(self, *blocks: Block) -> list[Line]:
        """Return the lines of some blocks."""
        return [line for line in self.lines if line.block in blocks]


def listed_seeds(standing: Standing) -> str:
    """Write the seeds of a table: ``seeds 21, 42``."""
    return in_words(standing.seeds)


def in_words(seeds: Sequence[int]) -> str:
    """Write seeds: ``seeds 21, 42``."""
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
