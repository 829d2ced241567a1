"""DELETE: distil the original on the forget set with each pair's own class masked out."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from mmulbench import CLASSIFICATION, METHODS, Batch, MultimodalModel, OneSetMethod, Task, UnlearningProblem


@METHODS.register("delete")
class Delete(OneSetMethod):
    """L = KL(softmax(z with z_y = -inf) || p) on Df, z the original's logits (arXiv 2503.23751).

    Zhou et al. 2025; the loss is that of the released code (shaaaaron/DELETE, method/delete.py). A pair's
    class loses its probability and the others keep their proportions; Dr is not read. The paper deletes whole
    classes; here the same loss is taken over deleted pairs of any class, so it works against what Dr says
    about these classes. With two classes the target is the wrong class itself.

    Retrieval has no class to mask: in a row of similarities the target would depend on which other pairs are
    in the batch, and on the matching path it would be "unrelated" for certain, which is no distillation.
    """

    reads: ClassVar[Literal["forget", "retain"]] = "forget"

    @classmethod
    def applies_to(cls, task: Task) -> str | None:
        """Apply to classification alone."""
        if task.classes:
            return None
        return "DELETE distils what the original believes of the other classes; retrieval has no classes"

    def loss(self, model: MultimodalModel, batch: Batch, problem: UnlearningProblem) -> Tensor:
        """Return the divergence on a batch of Df.

        Raises:
            ValueError: The pairs have no labels.
        """
        labels = batch.targets.labels
        if labels is None:
            raise ValueError("delete needs labelled pairs")
        before = problem.outputs.logits(batch)[CLASSIFICATION]
        target = before.scatter(1, labels[:, None], float("-inf")).softmax(1)
        student = model(batch).logits[CLASSIFICATION].log_softmax(1)
        return nn.functional.kl_div(student, target, reduction="batchmean")
