"""The scene of a run: a forget set of a task, a seed, and the models that belong to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from mmulbench.cache.entry import Artifact
from mmulbench.core.cost import CostMeter
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.method import UnlearningProblem
from mmulbench.core.model import MultimodalModel
from mmulbench.core.observations import ByPath, Measurements
from mmulbench.core.original_outputs import OriginalOutputs, Tensors
from mmulbench.core.training import Checkpoints
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.measure import EvaluationSets
from mmulbench.records.rankings import Rankings
from mmulbench.records.schema import Cost, StartCheck
from mmulbench.runs.measurements import (
    evaluation_sets,
    load_losses,
    load_measurements,
    load_rankings,
    retain_sample,
)
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.references import (
    Trained,
    fresh_model,
    load_original,
    load_retrain,
    original_inputs,
    weights_digest,
)
from mmulbench.runs.start_check import check_start, refuse_seen_retrain

NO_START = (
    "it trains models anew, and the weights that the original was fine-tuned from are not known: give "
    "--retrain-from"
)


@dataclass(frozen=True)
class Scenario:
    """Describes what is to be forgotten, and provides the models and the problem that follow from it.

    Attributes:
        prepared: task and backbone with data in memory.
        forget: the forget set.
        seed: training seed of original, retrain and method.
    """

    prepared: PreparedTask
    forget: ForgetSet
    seed: int

    def original(self) -> Trained:
        """Return the frozen original: this scenario's own, from the cache, or trained now.

        Raises:
            Diverged: Training diverges.
        """
        return self._original

    def retrain(self) -> Trained:
        """Return the frozen retrain: this scenario's own, from the cache, or trained now.

        Raises:
            UsageError: `start` does.
            MmulbenchError: `start` does.
            Diverged: Training diverges.
        """
        return self._retrain

    @cached_property
    def start(self) -> StartCheck | None:
        """What the initial weights of retrain know of the forget set; None where they are random or unknown.

        A retrain that is given is looked at, too.

        Raises:
            UsageError: They say that they were trained on the data.
            MmulbenchError: They have seen the forget set, so that no retrain of them is a reference.
        """
        prepared, sets = self.prepared, self.sampled_sets
        if prepared.given.retrain is not None:
            refuse_seen_retrain(self._retrain.model, prepared, sets, self.seed)
        if not prepared.given.has_start:
            return None
        return check_start(prepared, sets, self.forget, self.seed)

    @cached_property
    def _original(self) -> Trained:
        return load_original(self.prepared, self.seed)

    @cached_property
    def _retrain(self) -> Trained:
        return self.retrain_with(lambda kept: self.problem(checkpoints=kept))

    def retrain_with(self, make_problem: Callable[[Checkpoints], UnlearningProblem]) -> Trained:
        """Load the frozen retrain, or train it, after its initial weights have been checked.

        Args:
            make_problem: makes the problem that the method retrain is given, where the cache lacks the model.

        Raises:
            UsageError: `start` does.
            MmulbenchError: `start` does.
            Diverged: Training diverges.
        """
        if self.prepared.given.retrain is None:
            _ = self.start
        return load_retrain(self.prepared, self.forget, self.seed, make_problem)

    @cached_property
    def sets(self) -> EvaluationSets:
        """Sets that a run's models are judged on: the test split, the whole retain set, the forget set."""
        train = self.prepared.data.train
        return evaluation_sets(self.prepared, self.forget.kept(train), self.forget.forgotten(train))

    @cached_property
    def validation_sets(self) -> EvaluationSets:
        """The validation split alone, with the reference items of all others."""
        return replace(self.sets, splits={"validation": self.prepared.data.validation}, galleries={})

    @cached_property
    def sampled_sets(self) -> EvaluationSets:
        """Sets that many models can be judged on: as `sets`, with a fixed sample of the retain set."""
        retain = retain_sample(self.prepared, self.forget, self.seed)
        return evaluation_sets(self.prepared, retain, self.forget.forgotten(self.prepared.data.train))

    def problem(
        self,
        original: MultimodalModel | None = None,
        *,
        limit: float = math.inf,
        checkpoints: Checkpoints | None = None,
    ) -> UnlearningProblem:
        """Return what a method is given.

        Args:
            original: model in the original's place, such as a copy of it; the original by default.
            limit: floating-point operations that the method may spend.
            checkpoints: where its trainings begin and keep their states; by default they keep none.
        """
        prepared, workspace, data = self.prepared, self.prepared.workspace, self.prepared.data
        original = original if original is not None else self.original().model
        meter = CostMeter(workspace.device, limit)
        return UnlearningProblem(
            original=original,
            forget=prepared.pairs(self.forget.forgotten(data.train), "pair"),
            retain=prepared.pairs(self.forget.kept(data.train)),
            validation=prepared.pairs(data.validation),
            outputs=self._outputs(original, meter),
            recipe=prepared.recipe,
            seed=self.seed,
            fresh_model=self._fresh_model,
            meter=meter,
            progress=workspace.progress,
            checkpoints=checkpoints if checkpoints is not None else Checkpoints(),
        )

    def _fresh_model(self, seed: int) -> MultimodalModel:
        """Return a model with the weights that a training starts from.

        Raises:
            NotApplicable: The original was given, and these weights were not.
        """
        if not self.prepared.given.has_start:
            raise NotApplicable(NO_START)
        return fresh_model(self.prepared, seed)

    def measure(self, model: MultimodalModel, sets: EvaluationSets) -> Measurements:
        """Load a model's measurements from the cache, or measure it.

        Args:
            model: any model of the task.
            sets: sets to judge it on, such as those of this scenario.
        """
        return load_measurements(model, sets, self.prepared, self.seed)

    def rankings(self, model: MultimodalModel) -> Rankings:
        """Load what a model ranks first for some forget units from the cache, or have it rank them now.

        Args:
            model: any model of the task.
        """
        return load_rankings(model, self.sets, self.prepared, self.seed)

    def losses(self, model: MultimodalModel, sets: EvaluationSets) -> ByPath:
        """Load a model's losses from the cache, or measure them, where nothing else is asked of sets.

        Args:
            model: any model of the task.
            sets: sets to measure them on, such as the validation split.
        """
        return load_losses(model, sets, self.prepared, self.seed)

    def _outputs(self, original: MultimodalModel, meter: CostMeter) -> OriginalOutputs:
        """Return the original's outputs on all training data, computed when they are first asked for."""
        prepared = self.prepared

        def load(compute: Callable[[], tuple[Tensors, Cost]]) -> tuple[Tensors, Cost]:
            # By its weights: a method that spoils the original must not spoil what others find in the cache.
            inputs = {**original_inputs(prepared, self.seed), "weights": weights_digest(original)}

            def build() -> Artifact:
                tensors, cost = compute()
                return Artifact(tensors, {"cost": cost.model_dump()})

            found = prepared.workspace.cache.get_or_build("outputs", inputs, build)
            return found.tensors, Cost(**found.info["cost"])

        return OriginalOutputs(original, prepared.data.train, prepared.features, load, meter)
