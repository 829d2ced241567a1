"""EU-k: put the last k blocks back to their initial weights and train them on the retain set."""

from __future__ import annotations

import torch

from mmulbench import METHODS, MultimodalModel, UnlearningProblem
from mmulbench.methods._blocks import last_blocks
from mmulbench.methods.cf_k import CfK


@METHODS.register("eu_k")
class EuK(CfK):
    """L = CE(Dr) over the last k blocks, which start anew, all others frozen (Goel et al., arXiv 2201.06640).

    The blocks, and what k = 2 means, are those of CF-k. They start from the original's own initial weights:
    random ones, or those of the checkpoint that the backbone was built from. With the epochs and learning
    rate that all methods share, new blocks may stay undertrained: the released code gives them as many epochs
    as the original.
    """

    def start(self, problem: UnlearningProblem) -> MultimodalModel:
        """Return a copy of the original with initial weights in its last k blocks."""
        model = problem.copy_of_original()
        fresh = dict(problem.fresh_model(problem.seed).named_parameters())
        named = dict(model.named_parameters())
        with torch.no_grad():
            for name in last_blocks(model, self.config.k):
                named[name].copy_(fresh[name])
        return model
