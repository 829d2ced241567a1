"""Train from scratch on the retain set: the reference every method is compared with."""

from __future__ import annotations

from typing import ClassVar

from mmulbench import METHODS, Method, MultimodalModel, UnlearningProblem


@METHODS.register("retrain")
class Retrain(Method):
    """f' = the original's recipe run on Dr from the original's initial weights.

    Built once for each task, backbone, forget set and seed, and shared by all runs.
    """

    is_reference: ClassVar[bool] = True

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Train a fresh model on Dr."""
        return problem.train_from_scratch(problem.retain)
