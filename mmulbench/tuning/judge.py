"""Judge methods on forget sets that are held out for tuning."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from mmulbench.core.data import Split
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.method import Method
from mmulbench.core.model import MultimodalModel
from mmulbench.core.observations import Measurements
from mmulbench.errors import MmulbenchError
from mmulbench.evaluation.distance import Distance, distance_to_retrain
from mmulbench.evaluation.measure import EvaluationSets, measure
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.unlearn import unlearn
from mmulbench.tuning.holdout import forget_units, held_out


@dataclass(frozen=True)
class Judge:
    """Judges methods on one forget set that is held out for tuning, beside its retrain.

    Attributes:
        scenario: forget set and seed; the test split is not in its data.
        sets: sets that models are judged on.
        retrain: measurements of the retrain.
        limit: floating-point operations that a method may spend.
    """

    scenario: Scenario
    sets: EvaluationSets
    retrain: Measurements
    limit: float

    def distance(self, method: Method) -> Distance:
        """Return how far from retrain a method's model ends.

        Raises:
            MmulbenchError: The method diverges, spends more than the limit, or cannot run at all.
        """
        try:
            model = unlearn(method, self.scenario.problem(limit=self.limit)).model
            return self.distance_of(model)
        except MmulbenchError:
            raise
        except Exception as error:  # the trial has failed, and keeps one line
            self.scenario.prepared.workspace.progress.failure(error)
            raise

    def cost(self, method: Method) -> float:
        """Return the floating-point operations that a method spends, without judging its model.

        Raises:
            Diverged: The method diverges.
            OverBudget: The method spends more than the limit.
        """
        return unlearn(method, self.scenario.problem(limit=self.limit)).cost.flops or 0.0

    @cached_property
    def original(self) -> Measurements:
        """Measurements of the untouched original."""
        return self._measured(self.scenario.original().model)

    @cached_property
    def do_nothing(self) -> float:
        """Distance of the untouched original to retrain."""
        return self._distance(self.original).gap

    def distance_of(self, model: MultimodalModel) -> Distance:
        """Return how far from retrain a model is."""
        return self._distance(self._measured(model))

    def _measured(self, model: MultimodalModel) -> Measurements:
        return measure(model, self.sets, self.scenario.seed, self.scenario.prepared.workspace.progress)

    def _distance(self, found: Measurements) -> Distance:
        units = {name: split.first for name, split in self.sets.splits.items()}
        return distance_to_retrain(found, self.original, self.retrain, units)


def make_judge(
    prepared: PreparedTask, size: int, seed: int, budget: float, seen: tuple[int, ...] = ()
) -> Judge:
    """Train original and retrain for one tuning seed, or find them in the cache.

    Args:
        prepared: the task as it is run.
        size: number of forget units.
        seed: seed of original and forget set.
        budget: floating-point operations of a trial, as a part of retrain's.
        seen: seeds of the search, where this one is to check what it found; their forget sets are left out.

    Raises:
        UsageError: Too few units are left outside the published forget sets.
        Diverged: Training diverges.
    """
    held = held_out(prepared, seed)
    scenario = Scenario(held, ForgetSet(forget_units(held, size, seed, seen)), seed)
    retrain = replace(scenario).retrain()  # of another scenario, so that the model is not kept
    sets = judged_sets(scenario, prepared.data.validation)
    limit = budget * (retrain.cost.flops or math.inf)
    return Judge(scenario, sets, scenario.measure(retrain.model, sets), limit)


def judged_sets(scenario: Scenario, validation: Split) -> EvaluationSets:
    """Return the sets of a tuning scenario, whose queries search galleries as large as those of a record.

    A record searches the whole test split for queries of the test split and of Df, and the whole of Dr for
    queries of Dr. The validation split is in the test split's place here, and queries are a part of each set.

    Args:
        scenario: forget set and seed, of a task without its test split.
        validation: pairs of the whole validation split.
    """
    retain = scenario.forget.kept(scenario.prepared.data.train)
    galleries = {"test": validation, "forget": validation, "retain": retain}
    return replace(scenario.sampled_sets, galleries=galleries)
