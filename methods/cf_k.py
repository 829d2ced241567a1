"""CF-k: fine-tune only the last k blocks on the retain set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mmulbench import METHODS, GradientConfig, Learner, MultimodalModel, Search, UnlearningProblem
from mmulbench.methods._blocks import last_blocks
from mmulbench.methods.finetune import Finetune


@METHODS.register("cf_k")
class CfK(Finetune):
    """L = CE(Dr) over the last k blocks, all others frozen (Goel et al., arXiv 2201.06640).

    The paper counts the layers of a chain. A multimodal model is no chain: here its blocks are put in order
    of definition, with those of the fusion module and its head last; see `mmulbench.methods._blocks`. Where
    the last k blocks all belong to the fusion module, the encoders stay as they were, and so does every path
    that reads nothing else.
    """

    @dataclass(frozen=True)
    class Config(GradientConfig):
        """The settings of training are shared by all methods.

        Attributes:
            k: how many of the last blocks train; all where there are fewer (the released code tries 1 to 3
                unless told otherwise; 2 is the least that reaches past a head of one layer).
        """

        k: Annotated[int, Field(ge=1), Search(1, 8)] = 2

    config: Config

    def learner(self, model: MultimodalModel, problem: UnlearningProblem) -> Learner:
        """Return AdamW over the last k blocks."""
        named = dict(model.named_parameters())
        chosen = [named[name] for name in last_blocks(model, self.config.k)]
        return Learner(model, chosen, lr=self.config.lr, weight_decay=0.0, meter=problem.meter)
