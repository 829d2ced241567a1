"""Find the association paths that an original never learned, by what was measured of it."""

from __future__ import annotations

from mmulbench.core.observations import Measurements
from mmulbench.metrics.separation import exact_auc
from mmulbench.metrics.untaught import Untaught, untaught


def untaught_paths(original: Measurements) -> list[Untaught]:
    """Find the paths on which an original learned next to nothing.

    Args:
        original: measurements of it.

    Returns:
        Paths in their order; those without unrelated pairs are left out.

    Raises:
        Diverged: a score is NaN or infinite.
    """
    found = []
    for path, scores in original.scores.items():
        if "unrelated" in scores:
            forget, unrelated = scores["forget"], scores["unrelated"]
            found.append(untaught(path, exact_auc(unrelated, forget), len(forget), len(unrelated)))
    return [one for one in found if one is not None]
