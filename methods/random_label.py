"""Random labels: teach a wrong answer for every deleted pair, and the right ones for the rest."""

from __future__ import annotations

from torch import Tensor, nn

from mmulbench import CLASSIFICATION, METHODS, Batch, GradientMethod, MultimodalModel, UnlearningProblem
from mmulbench.methods._relabel import false_pairs, wrong_labels


@METHODS.register("random_label")
class RandomLabel(GradientMethod):
    """L = CE(Df with wrong labels) + CE(Dr), CE the task's own loss (Golatkar et al. 2020, arXiv 1911.04933).

    A wrong label is a class drawn anew at every visit, all equally likely but the true one (as the authors of
    SalUn, arXiv 2310.12508, write it; their released code may draw the true one too).
    No paper says what a wrong label is in retrieval. This project's analogue: each deleted item of the first
    modality is paired with a text of the retain set that does not belong with it, as if that pair were true.
    """

    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the task's loss on wrong answers for a batch of Df plus that on a batch of Dr."""
        labels = forget.targets.labels
        if labels is None:
            wrong = model(false_pairs(forget, problem.retain)).loss
        else:
            logits = model(forget).logits[CLASSIFICATION]
            wrong = nn.functional.cross_entropy(logits, wrong_labels(labels, logits.shape[1]))
        return wrong + model(retain).loss
