"""Have a method unlearn, and see that it left the original as it was."""

from __future__ import annotations

from mmulbench import processes
from mmulbench.core.data import NoUnrelatedPairs
from mmulbench.core.method import Method, UnlearningProblem
from mmulbench.errors import NotApplicable
from mmulbench.runs.references import Trained, weights_digest


def unlearn(method: Method, problem: UnlearningProblem) -> Trained:
    """Return the model that a method makes of a problem, and what that cost.

    Args:
        method: the configured method.
        problem: a problem of its own, since its meter counts what the method does.

    Raises:
        NotApplicable: The method needs unrelated pairs, and there are none.
        NoUnrelatedPairs: The method draws from a set of one unit that is not the retain set.
        RuntimeError: The method changed the original, or the processes of the run came to different models.
    """
    before = weights_digest(problem.original)
    try:
        with problem.meter:
            model = method.unlearn(problem)
    except NoUnrelatedPairs as error:
        if len(problem.retain.split.units) > 1:
            raise
        raise NotApplicable("no two items of a retain set of one unit are unrelated") from error
    if weights_digest(problem.original) != before:
        raise RuntimeError(
            f"the method {type(method).__name__} changed the original; use problem.copy_of_original()"
        )
    if processes.count() > 1:
        processes.demand_same(weights_digest(model), "weights")
    return Trained(model.eval(), problem.meter.cost())
