"""The contract of metrics: what a metric says of itself, and which kinds there are.

Nothing is computed here, and nothing heavy imported: lists and tables read metrics without their arrays.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from mmulbench.core.observations import (
        Estimates,
        PathObservation,
        PathPopulation,
        PathRecovery,
        UnimodalObservation,
    )
    from mmulbench.records.schema import Direction

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
