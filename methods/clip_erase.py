"""CLIPErase: lower the similarity of deleted pairs, keep that of all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from torch import Tensor

from mmulbench import (
    CONTRASTIVE,
    METHODS,
    Batch,
    GradientConfig,
    GradientMethod,
    MultimodalModel,
    NotApplicable,
    RetrievalModel,
    Search,
    Task,
    UnlearningProblem,
)
from mmulbench.methods._paths import divergence


@METHODS.register("clip_erase")
class ClipErase(GradientMethod):
    """L = forget * FM + retain * RM + consistency * CM (Yang et al. 2025, arXiv 2410.23330).

    FM = mean similarity of a deleted pair's two embeddings, over what retained pairs had on average;
    RM = the model's own loss on Dr (CLIP's is the contrastive loss);
    CM = KL(p_0 || p) on Dr, of images over a batch's texts plus of texts over its images.

    The paper's FM is the bare dot product. A model here gives it over its temperature, often tens of times as
    much, so FM is measured against the original's similarity of a batch's true pairs of Dr, to leave the
    weights their meaning. The paper speaks of the output distributions of both modalities; that they are
    those of the similarity matrix is a reading. Losses and weights were checked in a published summary of the
    paper (en.papernotes.org, ACL 2025), not in the paper or its code. A matching path, which CLIP lacks,
    forgets only what the encoders forget.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """Weights are the paper's, by that summary; the rest is shared by all methods.

        Attributes:
            forget: weight of FM.
            retain: weight of RM.
            consistency: weight of CM.
        """

        forget: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 3.0
        retain: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 1.0
        consistency: Annotated[float, Field(ge=0), Search(0.1, 10.0, log=True)] = 3.0

    config: Config

    @classmethod
    def applies_to(cls, task: Task) -> str | None:
        """Apply to retrieval alone."""
        if task.classes:
            return "CLIPErase works on the similarity of images and texts; a classifier has none"
        return None

    def start(self, problem: UnlearningProblem) -> MultimodalModel:
        """Return a copy of the original.

        Raises:
            NotApplicable: The original has no contrastive path.
        """
        if CONTRASTIVE not in problem.original.paths:
            raise NotApplicable("CLIPErase works on a contrastive similarity, which this backbone lacks")
        return super().start(problem)

    def loss(
        self, model: MultimodalModel, forget: Batch, retain: Batch, problem: UnlearningProblem
    ) -> Tensor:
        """Return the weighted sum on a batch of each set."""
        assert isinstance(model, RetrievalModel)
        images, texts = model.encode_batch(forget)
        forgotten = model.similarity(images.pooled, texts.pooled).diagonal().mean()
        output = model(retain)
        before, after = problem.outputs.logits(retain)[CONTRASTIVE], output.logits[CONTRASTIVE]
        forgotten = forgotten / before.diagonal().abs().mean()
        consistency = divergence({"p": before}, {"p": after}, 1.0)
        consistency = consistency + divergence({"p": before.T}, {"p": after.T}, 1.0)
        config = self.config
        return config.forget * forgotten + config.retain * output.loss + config.consistency * consistency
