"""The problem that a method is given, and the model it makes of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mmulbench import processes
from mmulbench.core.cost import CostMeter
from mmulbench.core.method import Method, UnlearningProblem
from mmulbench.runs.references import fresh_model, load_outputs, weights_digest

if TYPE_CHECKING:
    from mmulbench.core.data import Integers
    from mmulbench.core.model import MultimodalModel
    from mmulbench.records.schema import Cost
    from mmulbench.runs.prepare import Prepared, Workspace


def make_problem(
    original: MultimodalModel,
    forget: Integers,
    prepared: Prepared,
    seed: int,
    workspace: Workspace,
    limit: float = math.inf,
) -> UnlearningProblem:
    """What a method is given.

    Args:
        original: frozen.
        forget: units of the forget set.
        prepared: task and backbone.
        seed: of the run.
        workspace: where outputs are cached.
        limit: floating-point operations the method may spend.
    """
    meter = CostMeter(workspace.device, limit)
    return UnlearningProblem(
        original=original,
        forget=prepared.pairs(prepared.data.train.only(forget), "pair"),
        retain=prepared.pairs(prepared.data.train.without(forget)),
        validation=prepared.pairs(prepared.data.validation),
        outputs=load_outputs(prepared, original, seed, workspace, meter),
        recipe=prepared.recipe,
        seed=seed,
        fresh_model=lambda: fresh_model(prepared, seed, workspace.device),
        meter=meter,
        progress=workspace.progress,
    )


def unlearn(method: Method, problem: UnlearningProblem) -> tuple[MultimodalModel, Cost]:
    """The model that a method makes of a problem, and what that cost.

    Raises:
        RuntimeError: when the method changed the original.
    """
    before = weights_digest(problem.original)
    with problem.meter:
        model = method.unlearn(problem)
    if weights_digest(problem.original) != before:
        raise RuntimeError(
            f"the method {type(method).__name__} changed the original; use problem.copy_of_original()"
        )
    processes.demand_same(weights_digest(model), "weights")
    return model.eval(), problem.meter.cost()
