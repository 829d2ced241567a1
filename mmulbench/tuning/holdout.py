"""Data to tune on: validation pairs in the place of test pairs, and forget sets that are never published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmulbench.core.data import Integers, Relations
from mmulbench.errors import UsageError
from mmulbench.records.published import PUBLISHED_SEEDS
from mmulbench.runs.prepare import PreparedTask
from mmulbench.seeds import generator


def held_out(prepared: PreparedTask, seed: int) -> PreparedTask:
    """Return the same task without its test split.

    Half of the validation units take the test split's place, as data that no model has seen. The other half
    is what a method is given for validation. The true pairs of the test split are unknown.

    Args:
        prepared: the task as it is run.
        seed: seed of the halves.

    Raises:
        UsageError: There are fewer than two validation units.
    """
    whole = prepared.data.validation
    order = generator(seed, "validation halves").permutation(whole.units)
    judged = order[: len(order) // 2]
    if len(judged) == 0:
        raise UsageError("tuning needs at least two validation units")
    data = replace(prepared.data, validation=whole.without(judged), test=whole.only(judged))
    return replace(prepared, data=data, relations=Relations(data.train, whole))


def forget_units(prepared: PreparedTask, size: int, seed: int, seen: Sequence[int] = ()) -> Integers:
    """Return a forget set of the task's own order for a seed, apart from all published ones of its size.

    Args:
        prepared: the task.
        size: number of forget units.
        seed: seed of the order.
        seen: seeds of the search, whose forget sets are left out too.

    Returns:
        (size,) units; more items where a unit is several.

    Raises:
        UsageError: Too few units are left.
    """
    task, data = prepared.task, prepared.data
    taken = [task.forget_units(data, size, other) for other in PUBLISHED_SEEDS]
    taken += [forget_units(prepared, size, other) for other in seen]
    order = task.forget_order(data, seed)
    free = order[~np.isin(order, np.concatenate(taken))]
    found = task.first_units(data, free, size)
    if (left := task.units_among(data, found)) < size:
        others = "the published forget sets" + (" and those of the search" if seen else "")
        raise UsageError(
            f"forget size {size} leaves {left} units outside {others}: tune with a smaller --forget-size"
        )
    return found
