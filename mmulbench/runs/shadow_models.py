"""Shadow models: originals, retrains and unlearned models of other training seeds, for the same forget set.

Only how sure each is of some pairs is kept. What one shadow model needs is built once: its original serves
all forget sets, its retrain all methods, and a killed run goes on with the shadow model it was at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from mmulbench import processes
from mmulbench.cache.artifacts import Artifact
from mmulbench.code_digest import source_digest
from mmulbench.errors import Diverged
from mmulbench.evaluation.measure import EvaluationSets, pair_losses
from mmulbench.evaluation.population_values import (
    Population,
    population_metrics,
    population_values,
    stacked,
)
from mmulbench.metrics.populations import confidence
from mmulbench.records.schema import METRIC_VERSION, Value
from mmulbench.runs.references import (
    REFERENCE,
    digest_of_sets,
    evaluation_sets,
    judged_retain,
    load_original,
    load_retrain,
    original_inputs,
    retrain_inputs,
)
from mmulbench.runs.unlearn import make_problem, unlearn
from mmulbench.seeds import derive

if TYPE_CHECKING:
    from mmulbench.core.data import Integers
    from mmulbench.core.method import Method
    from mmulbench.core.metric import ByPath
    from mmulbench.core.model import MultimodalModel
    from mmulbench.runs.prepare import Prepared, Workspace

KIND = "confidence"


def shadow_seed(number: int) -> int:
    """Training seed of a shadow model; the same for every run, so that originals are shared."""
    return derive(number, "shadow")


@dataclass(frozen=True)
class Shadows:
    """The shadow models of one forget set.

    Attributes:
        prepared: task and backbone.
        forget: units of the forget set.
        seed: of the run, for the pairs of Dr that are looked at: as many units as the test set has.
        workspace: where to compute, and the cache.
    """

    prepared: Prepared
    forget: Integers
    seed: int
    workspace: Workspace

    @cached_property
    def sets(self) -> EvaluationSets:
        """The pairs that models are asked for."""
        prepared, forget = self.prepared, self.forget
        retain = judged_retain(prepared, forget, self.seed)
        return evaluation_sets(prepared, retain, prepared.data.train.only(forget))

    def confidence(self, model: MultimodalModel) -> ByPath:
        """How sure a model is of each pair: by path, then by set."""
        losses = pair_losses(model, self.sets, self.workspace.progress)
        return {
            path: {name: confidence(loss) for name, loss in by_set.items()} for path, by_set in losses.items()
        }

    def original(self, number: int) -> ByPath:
        """How sure the original of a shadow model is.

        Raises:
            Diverged: when its training does.
        """
        inputs = {"model": "original", **original_inputs(self.prepared, shadow_seed(number))}
        return self._load(inputs, lambda: self._original(number))

    def retrain(self, number: int) -> ByPath:
        """How sure the retrain of a shadow model is.

        Raises:
            Diverged: when its training does.
        """
        seed = shadow_seed(number)
        inputs = {"model": REFERENCE, **retrain_inputs(self.prepared, self.forget, seed)}

        def build() -> MultimodalModel:
            problem = make_problem(self._original(number), self.forget, self.prepared, seed, self.workspace)
            return load_retrain(self.prepared, problem, self.forget, seed, self.workspace)[0]

        return self._load(inputs, build)

    def unlearned(self, number: int, method: Method, run_id: str) -> ByPath:
        """How sure a shadow model is that a run's method has unlearned.

        Raises:
            Diverged: when the method does.
        """
        if method.is_reference:
            return self.retrain(number)
        inputs = _inputs(number, method, run_id)

        def build() -> MultimodalModel:
            checkpoints = self.workspace.checkpoints(inputs)
            problem = make_problem(
                self._original(number), self.forget, self.prepared, shadow_seed(number), self.workspace
            )
            model, _ = unlearn(method, replace(problem, checkpoints=checkpoints))
            checkpoints.clear()
            return model

        return self._load(inputs, build)

    def discard(self, shadows: int, method: Method, run_id: str) -> None:
        """Forget what a run's method made of the shadow models, once its record is written."""
        for number in range(1, shadows + 1):
            inputs = _inputs(number, method, run_id)
            self.workspace.checkpoints(inputs).clear()  # left where it diverged
            if processes.is_first():
                self.workspace.cache.discard(KIND, self._key(inputs))

    def _original(self, number: int) -> MultimodalModel:
        return load_original(self.prepared, shadow_seed(number), self.workspace)[0]

    def _key(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {**inputs, "sets": digest_of_sets(self.sets), "metric_version": METRIC_VERSION}

    def _load(self, inputs: Mapping[str, Any], build: Callable[[], MultimodalModel]) -> ByPath:
        """From the cache, or of a model that is built; that it diverged is known from then on too."""

        def compute() -> Artifact:
            try:
                found = self.confidence(build())
            except Diverged as error:
                return Artifact({}, {"diverged": str(error)})
            tensors = {
                f"{path}/{name}": torch.from_numpy(values)
                for path, by_set in found.items()
                for name, values in by_set.items()
            }
            return Artifact(tensors, {"diverged": None})

        artifact = self.workspace.cache.get_or_build(KIND, self._key(inputs), compute)
        if artifact.info["diverged"] is not None:
            raise Diverged(artifact.info["diverged"])
        loaded: ByPath = {}
        for key, tensor in artifact.tensors.items():
            path, name = key.split("/")
            loaded.setdefault(path, {})[name] = tensor.numpy()
        return loaded


def _inputs(number: int, method: Method, run_id: str) -> dict[str, Any]:
    """What a method's shadow model is known by until the run is recorded."""
    return {"model": "unlearned", "run": run_id, "shadow": number, "code": source_digest(type(method))}


def judged_by_shadows(
    shadows: Shadows,
    count: int,
    own: tuple[MultimodalModel, MultimodalModel, MultimodalModel],
    method: Method,
    run_id: str,
) -> tuple[dict[str, Value], list[str]]:
    """What a run's own models and its shadow models tell together.

    Args:
        shadows: of the run's forget set.
        count: how many.
        own: the run's unlearned model, original and retrain.
        method: of the run.
        run_id: its id.

    Returns:
        Values by name; and what is missing, one line each: everything, if a shadow model diverged.
    """
    kinds = [[shadows.confidence(model)] for model in own]
    tick = shadows.workspace.progress.counter(count, "shadow models")
    for number in range(1, count + 1):
        try:
            found = (
                shadows.unlearned(number, method, run_id),
                shadows.original(number),
                shadows.retrain(number),
            )
        except Diverged as error:
            names = ", ".join(metric.name for metric in population_metrics())
            return {}, [f"{names}: shadow model {number} of {count} diverged: {error}"]
        for models, one in zip(kinds, found, strict=True):
            models.append(one)
        tick()
    return population_values(Population(*map(stacked, kinds)), shadows.seed)
