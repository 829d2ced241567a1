"""Shadow models: originals, retrains and unlearned models of other training seeds, for the same forget set.

Only how sure each is of some pairs is kept. What one shadow model needs is built once: its original serves
all forget sets, its retrain all methods, and a killed run goes on with the shadow model it was at. A second
retrain for each, and for the run itself, by a seed that nothing else has, says what chance does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from mmulbench import processes
from mmulbench.cache.entry import Artifact
from mmulbench.code_digest import code_digest
from mmulbench.core.method import Method
from mmulbench.core.model import MultimodalModel
from mmulbench.core.observations import ByPath
from mmulbench.errors import Diverged
from mmulbench.evaluation.measure import measure_losses
from mmulbench.evaluation.population_values import (
    Population,
    population_metrics,
    population_values,
    stacked,
)
from mmulbench.metrics.populations import confidence
from mmulbench.records.schema import METRIC_VERSION, Value
from mmulbench.runs.measurements import by_path_of, digest_of_sets, tensors_of
from mmulbench.runs.references import (
    REFERENCE,
    Trained,
    original_inputs,
    retrain_inputs,
)
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.unlearn import unlearn
from mmulbench.seeds import derive

KIND = "confidence"

KINDS = tuple(field.name for field in fields(Population))
"""Kinds of models, one of each for every training seed."""


def shadow_seed(number: int) -> int:
    """Return the training seed of a shadow model: the same for every run, so that originals are shared."""
    return derive(number, "shadow")


def second_seed(number: int) -> int:
    """Return the training seed of a second retrain, unrelated to all others: the same for every run.

    Args:
        number: number of the shadow model; 0 for the run itself.
    """
    return derive(number, "second retrain")


@dataclass(frozen=True)
class RunModels:
    """Holds the three models of a run that its shadow models are counterparts of.

    Attributes:
        unlearned: model that the method made.
        original: model trained on everything.
        retrain: model trained without the forget set.
    """

    unlearned: MultimodalModel
    original: MultimodalModel
    retrain: MultimodalModel


@dataclass(frozen=True)
class Shadows:
    """Provides the shadow models of one forget set, as how sure each of them is.

    Attributes:
        scenario: scenario of the run; its forget set and sampled sets are those of every shadow model.
    """

    scenario: Scenario

    def of(self, number: int) -> Scenario:
        """Return the scenario of a shadow model: the same forget set with another training seed."""
        return replace(self.scenario, seed=shadow_seed(number))

    def confidence(self, model: MultimodalModel) -> ByPath:
        """Return how sure a model is of each pair: by path, then by set, (n,)."""
        progress = self.scenario.prepared.workspace.progress
        losses = measure_losses(model, self.scenario.sampled_sets, progress)
        return {
            path: {name: confidence(loss) for name, loss in by_set.items()} for path, by_set in losses.items()
        }

    def original(self, number: int) -> ByPath:
        """Return how sure the original of a shadow model is.

        Raises:
            Diverged: Its training diverges.
        """
        inputs = {"model": "original", **original_inputs(self.scenario.prepared, shadow_seed(number))}
        return self._load(inputs, lambda: self.of(number).original().model)

    def retrain(self, number: int) -> ByPath:
        """Return how sure the retrain of a shadow model is.

        Raises:
            Diverged: Its training diverges.
        """
        prepared, forget = self.scenario.prepared, self.scenario.forget
        inputs = {"model": REFERENCE, **retrain_inputs(prepared, forget, shadow_seed(number))}
        return self._load(inputs, lambda: self.of(number).retrain().model)

    def retrain_again(self, number: int) -> ByPath:
        """Return how sure a second retrain is, by another training seed than any other model's.

        Args:
            number: number of the shadow model; 0 for the run itself.

        Raises:
            Diverged: Its training diverges.
        """
        prepared, forget = self.scenario.prepared, self.scenario.forget
        inputs = {"model": REFERENCE, **retrain_inputs(prepared, forget, second_seed(number))}
        return self._load(inputs, lambda: self.second_retrain(number).model)

    def second_retrain(self, number: int) -> Trained:
        """Load the model of `retrain_again`, or train it.

        Args:
            number: number of the shadow model; 0 for the run itself.

        Raises:
            Diverged: Its training diverges.
        """
        second = replace(self.scenario, seed=second_seed(number))
        # Retraining does not look at the original, so that one of this seed need not be trained.
        any_original = self.scenario.original().model
        return second.retrain_with(lambda kept: second.problem(any_original, checkpoints=kept))

    def unlearned(self, number: int, method: Method, run_id: str) -> ByPath:
        """Return how sure a shadow model is that a run's method has unlearned.

        Args:
            number: number of the shadow model, from 1.
            method: method of the run.
            run_id: id of the run.

        Raises:
            Diverged: The method diverges.
        """
        if method.is_reference:  # compared with other models than itself
            return self.retrain_again(number)
        inputs = _inputs(number, method, run_id)

        def build() -> MultimodalModel:
            checkpoints = self.scenario.prepared.workspace.checkpoints(inputs)
            model = unlearn(method, self.of(number).problem(checkpoints=checkpoints)).model
            checkpoints.clear()
            return model

        return self._load(inputs, build)

    def discard(self, count: int, method: Method, run_id: str) -> None:
        """Forget what a run's method made of the shadow models, once its record is written.

        Args:
            count: number of shadow models.
            method: method of the run.
            run_id: id of the run.
        """
        workspace = self.scenario.prepared.workspace
        for number in range(1, count + 1):
            inputs = _inputs(number, method, run_id)
            workspace.checkpoints(inputs).clear()  # left where it diverged
            if processes.is_first():
                workspace.cache.discard(KIND, self._key(inputs))

    def _key(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        sets = digest_of_sets(self.scenario.sampled_sets)
        return {**inputs, "sets": sets, "metric_version": METRIC_VERSION}

    def _load(self, inputs: Mapping[str, Any], build: Callable[[], MultimodalModel]) -> ByPath:
        """Load from the cache, or build a model and ask it; that it diverged is known from then on too.

        Raises:
            Diverged: The model diverges, now or earlier.
        """

        def compute() -> Artifact:
            try:
                found = self.confidence(build())
            except Diverged as error:
                return Artifact({}, {"diverged": str(error)})
            return Artifact(tensors_of(found), {"diverged": None})

        cache = self.scenario.prepared.workspace.cache
        artifact = cache.get_or_build(KIND, self._key(inputs), compute)
        if artifact.info["diverged"] is not None:
            raise Diverged(artifact.info["diverged"])
        return by_path_of(artifact.tensors)


def _inputs(number: int, method: Method, run_id: str) -> dict[str, Any]:
    """Return what a method's shadow model is known by until the run is recorded."""
    return {
        "model": "unlearned",
        "run": run_id,
        "shadow": number,
        "code": code_digest(type(method).__module__),
    }


def judged_by_shadows(
    shadows: Shadows, count: int, own: RunModels, method: Method, run_id: str
) -> tuple[dict[str, Value], list[str]]:
    """Return what a run's own models and its shadow models tell together.

    Args:
        shadows: shadow models of the run's forget set.
        count: number of shadow models.
        own: the run's own models.
        method: method of the run.
        run_id: id of the run.

    Returns:
        Values by name; and what is missing, one line each: everything, if a shadow model diverged.
    """
    progress = shadows.scenario.prepared.workspace.progress
    tick = progress.counter(len(KINDS) * (count + 1), "models of shadow training seeds")
    found: dict[str, list[ByPath]] = {kind: [] for kind in KINDS}
    for number in range(count + 1):
        for kind, models in found.items():
            try:
                models.append(_confidence_of(kind, shadows, number, own, method, run_id))
            except Diverged as error:
                names = ", ".join(metric.name for metric in population_metrics())
                return {}, [f"{names}: {_named(kind, number, count)} diverged: {error}"]
            if not models[-1]:
                names = ", ".join(metric.name for metric in population_metrics())
                return {}, [f"{names}: there are no validation pairs, the negatives of the contrastive loss"]
            tick()
    population = Population(**{kind: stacked(models) for kind, models in found.items()})
    return population_values(population, shadows.scenario.seed)


def _confidence_of(
    kind: str, shadows: Shadows, number: int, own: RunModels, method: Method, run_id: str
) -> ByPath:
    """Return how sure one model of a population is.

    Args:
        kind: one of `KINDS`.
        shadows: shadow models of the run's forget set.
        number: number of the shadow model; 0 for the run itself.
        own: the run's own models.
        method: method of the run.
        run_id: id of the run.

    Raises:
        Diverged: The model diverges.
    """
    if kind == "retrained_again" or (kind == "unlearned" and method.is_reference):
        return shadows.retrain_again(number)
    if number == 0:
        own_models = {"unlearned": own.unlearned, "originals": own.original, "retrained": own.retrain}
        return shadows.confidence(own_models[kind])
    if kind == "unlearned":
        return shadows.unlearned(number, method, run_id)
    return shadows.original(number) if kind == "originals" else shadows.retrain(number)


def _named(kind: str, number: int, count: int) -> str:
    """Return the name of a model that diverged, for a message."""
    of = f"shadow model {number} of {count}" if number else "the run's own training seed"
    return f"the second retrain of {of}" if kind == "retrained_again" else of
