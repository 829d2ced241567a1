"""UNSIR: class-level noise that impairs, then repair; not applicable to deleted pairs."""

from __future__ import annotations

from mmulbench import METHODS, Method, MultimodalModel, NotApplicable, Task, UnlearningProblem

REASON = (
    "UNSIR learns a noise that maximises the loss of one whole class; here pairs are deleted, not classes"
)


@METHODS.register("unsir")
class Unsir(Method):
    """max CE(noise, class) - 0.1 * |noise|^2, impair on noise + Dr, repair on Dr (arXiv 2111.08947).

    Tarun et al. 2023; the formula is that of the released notebook (vikram2000b/Fast-Machine-Unlearning).
    The noise stands for a class whose data may not be read any more. A forget set of this benchmark is a
    list of pairs, which may be of any class, and its classes stay in use: there is no class to make noise
    for. It is listed so that tables say so.
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
