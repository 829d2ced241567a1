"""Fine-tune on the retain set: forgetting by neglect."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from mmulbench import METHODS, Batch, MultimodalModel, OneSetMethod, UnlearningProblem


@METHODS.register("finetune")
class Finetune(OneSetMethod):
    """L = CE(Dr), CE the task's own loss (a baseline of arXiv 2311.12047)."""

    reads: ClassVar[Literal["forget", "retain"]] = "retain"

    def loss(self, model: MultimodalModel, batch: Batch, problem: UnlearningProblem) -> Tensor:
        """Return the task's own loss on a batch of Dr."""
        return model(batch).loss
