"""What metrics are given, scores and losses of models above all, and the estimates that they return.

Nothing is computed here, and nothing heavy imported: lists and tables read metrics without their arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mmulbench.core.data import Integers

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

ByPath = dict[str, dict[str, "Floats"]]
"""By association path, then by the name of a set of pairs: one number for each pair."""


@dataclass(frozen=True)
class Estimate:
    """Holds one number that was measured on one model, and what is needed to read it.

    Attributes:
        value: the number itself.
        n: how many queries, pairs or values it rests on.
        low: lower end of the 95 % bootstrap interval, None where there is no interval.
        high: upper end of that interval.
        chance: expected value of random scores or equal models, None where it is the metric's own constant.
    """

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    chance: float | None = None


Estimates = Mapping[str, Estimate]
"""By the name of a part, such as ``headline`` or ``auc``: one estimate."""


@dataclass(frozen=True)
class Measurements:
    """Holds everything that is measured on one model.

    Attributes:
        utility: by set, then by name (``headline``, ``i2t_r@1``, ``f1``, …): the task's own measures.
        scores: by path, then by set (and ``unrelated``): association score of each pair.
        losses: by path, then by set: loss of each true pair.
        pooled: by modality, (n, d) unimodal representations of items of the test split, the same items of
            every model.
        unit_utility: (u,) headline utility of each forget unit, in the order of the units; their mean is near
            the forget set's utility, not equal to it where queries are of several units.
    """

    utility: dict[str, dict[str, Estimate]]
    scores: ByPath
    losses: ByPath
    pooled: dict[str, Floats] = field(default_factory=dict)
    unit_utility: Floats | None = None


@dataclass(frozen=True)
class PairNumbers:
    """Holds one model's numbers for the pairs of each set, on one association path.

    Attributes:
        scores: by set (and ``unrelated``), (n,) association scores; higher means "belongs together".
        losses: by set, (n,) losses of the true pairs.
    """

    scores: Mapping[str, Floats]
    losses: Mapping[str, Floats]


@dataclass(frozen=True)
class PathObservation:
    """Holds what a `PathMetric` reads to judge one model on one association path.

    Attributes:
        path: name of the path, such as ``matching``.
        model: numbers of the judged model.
        original: numbers of the model before unlearning, for the same pairs in the same order.
        units: by set, (n,) the forget unit of each pair; pairs of one unit are not independent.
        seed: seed of random draws.
        retrain: numbers of retrain for the same pairs; empty where the run has no reference.
    """

    path: str
    model: PairNumbers
    original: PairNumbers
    units: Mapping[str, Integers]
    seed: int
    retrain: PairNumbers = field(default_factory=lambda: PairNumbers({}, {}))


@dataclass(frozen=True)
class UnimodalObservation:
    """Holds what a `UnimodalMetric` reads to judge one model on one modality.

    Attributes:
        modality: name of the modality, such as ``image``.
        model: (n, d) pooled outputs of the judged model for items of the test split.
        original: (n, d) pooled outputs of the model before unlearning, for the same items in the same order.
        retrain: (n, d) pooled outputs of retrain; None where the run has no reference.
        seed: seed of random draws.
    """

    modality: str
    model: Floats
    original: Floats
    retrain: Floats | None
    seed: int


@dataclass(frozen=True)
class PathPopulation:
    """Holds how sure shadow models are of each pair, on one association path: by set, (k models, n pairs).

    Row i of every array belongs to the same training seed.

    Attributes:
        path: name of the path.
        unlearned: models trained on everything, then unlearned; these are judged.
        originals: models trained on everything.
        retrained: models trained without the forget set, which all others are compared with.
        retrained_again: models trained without it by other training seeds, unrelated to those of the rows:
            what chance makes of such a comparison. Retrain itself is judged by these.
        seed: seed of random draws.
        intervals: whether intervals are asked for; a record keeps those of the run's own method alone.
    """

    path: str
    unlearned: Mapping[str, Floats]
    originals: Mapping[str, Floats]
    retrained: Mapping[str, Floats]
    retrained_again: Mapping[str, Floats]
    seed: int
    intervals: bool = True


@dataclass(frozen=True)
class PathRecovery:
    """Holds what a `RecoveryMetric` reads: how a model learns half of the forget set again, on one path.

    Attributes:
        path: name of the path.
        model: by number of training steps, then by set (``forget``, ``test``): (n,) losses of the judged
            model.
        retrain: the same of retrain, which saw the same batches.
        shown: (n,) which pairs of the forget set were trained on; the others are held out.
    """

    path: str
    model: Mapping[int, Mapping[str, Floats]]
    retrain: Mapping[int, Mapping[str, Floats]]
    shown: Booleans
