"""Attack with validation pairs, which no model was trained on: the reference of runs without retrain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmulbench.core.metric import AGAINST_VALIDATION, VALIDATION
from mmulbench.core.observations import ByPath
from mmulbench.metrics.catalogue import with_role
from mmulbench.records.schema import Value

if TYPE_CHECKING:
    from mmulbench.core.data import Integers

SETS = {VALIDATION: ("validation", "test"), AGAINST_VALIDATION: ("forget", "validation")}
"""By part, the set that is taken for trained on, and the set that it is told from."""


def validation_values(
    model: ByPath, original: ByPath, units: Mapping[str, Integers], seed: int
) -> dict[str, Value]:
    """Attack validation pairs as the forget set is attacked, and the forget set against validation pairs.

    ``mia/<path>/validation`` is P(a validation pair has a lower loss than a test pair) + ties / 2: what the
    attack finds in data that nobody trained on. ``mia/<path>/against_validation`` is P(a forget-set pair has
    a lower loss than a validation pair) + ties / 2: .5 where the forget set looks unseen. The interval of
    each draws the units of both sets, as that of ``mia`` does.

    Args:
        model: losses of the unlearned model, by path, of ``forget``, ``test`` and ``validation``.
        original: the same of the original.
        units: by set, (n,) unit of each pair.
        seed: seed of the bootstrap.

    Returns:
        Values by name; of no path that lacks one of the sets, or whose set is empty.

    Raises:
        Diverged: A loss is NaN or infinite.

    Example:
        >>> import numpy as np
        >>> losses = {"forget": np.array([0.1, 0.2]), "test": np.array([0.3, 0.9]),
        ...           "validation": np.array([0.4, 0.8])}
        >>> units = {name: np.arange(2) for name in losses}
        >>> found = validation_values({"matching": losses}, {"matching": losses}, units, seed=0)
        >>> found["mia/matching/validation"].value, found["mia/matching/against_validation"].value
        (0.5, 1.0)
    """
    from mmulbench.metrics.separation import auc_by_units, exact_auc

    (attack,) = with_role("forgetting")
    found = {}
    for path, losses in model.items():
        for part, (members, others) in SETS.items():
            if not all(name in losses and len(losses[name]) for name in (members, others)):
                continue
            auc = auc_by_units(losses[members], units[members], losses[others], units[others], seed)
            found[f"{attack.name}/{path}/{part}"] = Value(
                value=auc.value,
                n=len(losses[members]) + len(losses[others]),
                direction=attack.direction,
                original=exact_auc(original[path][members], original[path][others]),
                low=auc.low,
                high=auc.high,
                chance=attack.chance,
            )
    return found
