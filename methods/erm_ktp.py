"""ERM-KTP: class-wise gates trained in from the start; not applicable to deleted pairs."""

from __future__ import annotations

from mmulbench import METHODS, Method, MultimodalModel, NotApplicable, Task, UnlearningProblem

REASON = (
    "ERM-KTP deletes classes of an original trained with its own class-wise gates; here pairs are deleted"
)


@METHODS.register("erm_ktp")
class ErmKtp(Method):
    """Entanglement-reduced masks, then knowledge transfer and prohibition (Lin et al., CVPR 2023).

    In the released code (RUIYUN-ML/ERM-KTP) the original is trained with a gate for every class and channel;
    unlearning zeroes the deleted class's output row and the last layer's weights of every channel that its
    gates let through, and matches the features of the other channels on Dr. A forget set of this benchmark is
    a list of pairs of any class, and all methods start from the same original. It is listed, as a baseline of
    arXiv 2311.12047, so that tables say so.
    """

    @classmethod
    def applies_to(cls, task: Task) -> str | None:
        """Apply to no task."""
        return REASON

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Refuse to unlearn.

        Raises:
            NotApplicable: Always.
        """
        raise NotApplicable(REASON)
