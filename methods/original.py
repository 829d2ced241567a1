"""Leave the original as it is: the sanity row, which no attack should find hard."""

from __future__ import annotations

from mmulbench import METHODS, Method, MultimodalModel, UnlearningProblem


@METHODS.register("original")
class Original(Method):
    """f' = f: nothing is forgotten. Its attacks show what there is to forget."""

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Return a copy of the original."""
        return problem.copy_of_original()
