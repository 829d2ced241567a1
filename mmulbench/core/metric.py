"""The contract of metrics: what a metric says of itself, what it reads, and what it returns.

Nothing is computed here, and nothing heavy imported: lists and tables read metrics without their arrays.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mmulbench.core.data import Integers
    from mmulbench.records.schema import Direction

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

SETS = ("test", "retain", "forget")
"""Sets of pairs that every model is judged on."""

HEADLINE = "headline"
"""Name of the part that stands for the whole metric; other parts become details of a record."""

VALIDATION = "validation"
"""Part of the attack in runs without a reference: the same attack on validation pairs, which are unseen."""

AGAINST_VALIDATION = "against_validation"
"""Part of the attack in runs without a reference: it tells the forget set from validation pairs."""

Role = Literal["forgetting", "utility", "distance"]
"""What the verdict and the figures use a built-in metric for."""

Bounds = tuple[float, float]
"""Smallest and largest value that a measure can have, both included."""

ANYTHING: Bounds = (-math.inf, math.inf)
SHARE: Bounds = (0.0, 1.0)
POSITIVE: Bounds = (0.0, math.inf)

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


@dataclass(frozen=True)
class Needs:
    """Names the numbers that a metric reads; it must not read others.

    Attributes:
        utility: sets whose utility is read.
        scores: sets whose association scores are read (``unrelated`` is one).
        losses: sets whose losses are read.
        original_scores: sets whose scores by the original are read.
        original_losses: sets whose losses by the original are read.
        retrain_losses: sets whose losses by retrain are read; without a reference the metric is missing.
        pooled: whether unimodal representations are read, the original's and retrain's besides the model's.
        confidence: sets in which shadow models' confidence is read.
        relearned_losses: sets whose losses are read after models were trained on part of the forget set
            again, the model's and retrain's.
        values: other metrics whose values are read, of each path those that have paths.
    """

    utility: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    original_scores: tuple[str, ...] = ()
    original_losses: tuple[str, ...] = ()
    retrain_losses: tuple[str, ...] = ()
    pooled: bool = False
    confidence: tuple[str, ...] = ()
    relearned_losses: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class Metric(ABC):
    """Describes one metric; extend one of the six kinds below, which say what `compute` is given.

    Args:
        name: the name that it is registered under, its key in records.

    Attributes:
        title: heading of its column in tables.
        direction: what is better.
        definition: what it measures and how, in one paragraph.
        source: the publication that it is from, or ``my own``.
        needs: the numbers that it reads.
        chance: value that random numbers or equal models give, None where it depends on the data.
        shows_chance: whether tables show the chance level of each run beside the value.
        has_headline: whether it has a column of its own, besides details.
        role: use in the verdict and the figures, read of built-in metrics only.
        bounds: smallest and largest value that it can have; a record with another is refused.
        part_bounds: the same of details whose bounds are others, by part.
    """

    title: ClassVar[str]
    direction: ClassVar[Direction]
    definition: ClassVar[str]
    source: ClassVar[str]
    needs: ClassVar[Needs]
    chance: ClassVar[float | None]
    shows_chance: ClassVar[bool] = False
    has_headline: ClassVar[bool] = True
    role: ClassVar[Role | None] = None
    bounds: ClassVar[Bounds] = ANYTHING
    part_bounds: ClassVar[Mapping[str, Bounds]] = {}

    def __init__(self, name: str) -> None:
        self.name = name

    def bounds_of(self, part: str) -> Bounds:
        """Return the smallest and the largest value that a part can have; `HEADLINE` is the metric itself."""
        return self.part_bounds.get(part, self.bounds)

    def details_of(self, headline: float) -> Mapping[str, float]:
        """Return the details that follow from a headline alone, by part; records must agree with them.

        Args:
            headline: the metric's value, of one path or modality where it is measured on each.
        """
        return {}


class UtilityMetric(Metric):
    """Describes a metric of what a model can do, computed from the task's own measures and their chance."""

    chance = None

    @abstractmethod
    def compute(self, utility: Mapping[str, Estimates]) -> Estimates:
        """Compute the metric of one model.

        Args:
            utility: by set, then by name: the task's measures; ``headline`` stands for them.

        Returns:
            Estimates by part, `HEADLINE` for the metric itself.

        Raises:
            NotApplicable: there is too little to measure; the record has no value then, but this reason.
        """


class PerPathMetric(Metric):
    """Describes a metric that is measured on each association path; a model's value is its worst path's.

    Higher is better: the worst path has the smallest value. Lower is better: it has the largest. Closest to
    retrain: it lies furthest from retrain's value of the same path. Not below retrain: it falls furthest
    below that value. This is the worst path of one model. Two models' may be different ones, so that their
    values are compared path by path.

    Attributes:
        worst_without_retrain: the worst path of those closest to retrain where there is no retrain.
    """

    worst_without_retrain: ClassVar[Literal["largest", "smallest", "furthest_from_chance"]] = "largest"


class PathMetric(PerPathMetric):
    """Describes a metric of association scores or losses, computed for one path at a time."""

    @abstractmethod
    def compute(self, observation: PathObservation) -> Estimates:
        """Compute the metric of one model on one path.

        Args:
            observation: scores and losses of the model and of the original.

        Returns:
            Estimates by part, `HEADLINE` for the metric itself.

        Raises:
            ValueError: arrays are empty or do not fit together.
            NotApplicable: there is too little to measure; the record has no value then, but this reason.
            Diverged: a number is NaN or infinite.
        """


class UnimodalMetric(Metric):
    """Describes a metric of what each encoder knows by itself, computed for one modality at a time.

    A model's value is that of the modality with the smallest.
    """

    @abstractmethod
    def compute(self, observation: UnimodalObservation) -> Estimates:
        """Compute the metric of one model on one modality.

        Args:
            observation: pooled outputs of the model, of the original and perhaps of retrain.

        Returns:
            Estimates by part, `HEADLINE` for the metric itself.

        Raises:
            ValueError: arrays are empty or do not fit together.
            NotApplicable: there is too little to measure; the record has no value then, but this reason.
            Diverged: a number is NaN or infinite.
        """


class PopulationMetric(PerPathMetric):
    """Describes a metric of many shadow models, computed for one path at a time.

    Attributes:
        fewest_models: least number of models of a kind, the run's own included, that its headline is given
            for. With fewer a record has null in its place and says why in `missing`; the details stay.
    """

    fewest_models: ClassVar[int] = 3

    @abstractmethod
    def compute(self, population: PathPopulation) -> Estimates:
        """Compute the metric of unlearned models on one path.

        Args:
            population: confidences of unlearned models, originals and retrained models.

        Returns:
            Estimates by part, `HEADLINE` for the metric itself.

        Raises:
            ValueError: arrays are empty or do not fit together.
            NotApplicable: there is too little to measure; the record has no value then, but this reason.
            Diverged: a confidence is NaN.
        """


class RecoveryMetric(PerPathMetric):
    """Describes a metric of how models learn again what was deleted, computed for one path at a time.

    It costs training, so that only records that it is asked for have it.

    Attributes:
        steps: numbers of training steps in ascending order, from 0, after which losses are measured.
    """

    steps: ClassVar[tuple[int, ...]] = (0, 1, 2, 4, 8, 16, 32)

    @abstractmethod
    def compute(self, recovery: PathRecovery) -> Estimates:
        """Compute the metric of one model on one path.

        Args:
            recovery: losses of the model and of retrain after each number of `steps`.

        Returns:
            Estimates by part, `HEADLINE` for the metric itself.

        Raises:
            ValueError: arrays are empty or do not fit together.
            NotApplicable: there is too little to measure; the record has no value then, but this reason.
            Diverged: a loss is NaN or infinite.
        """


class CombinedMetric(Metric):
    """Describes a metric that is computed from the values of other metrics.

    Of metrics that are measured on each path it reads every path's value, never that of the worst one.
    """

    chance = None

    @abstractmethod
    def compute(self, values: Mapping[str, float], retrain: Mapping[str, float]) -> float:
        """Combine other values of one model.

        Args:
            values: the model's values of the metrics in ``needs.values``: by the metric's name, such as
                ``test``, and for one that is measured on each path by path, such as ``mia/matching``.
            retrain: retrain's values by the same names.
        """
