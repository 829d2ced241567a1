"""Draw non-relations for relation tasks, so that how popular an entity is tells nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mmulbench import Integers
from mmulbench.tasks._relations.fixed_order import shuffled


def non_relations(relations: Integers, possible: Callable[[int, int], bool], key: str) -> Integers:
    """Make pairs that are no relations by giving the right sides of relations to other left sides.

    Each left and each right side stands in as many non-relations as relations. Where that is impossible,
    which happens in small sets alone, a left side gets the first possible right side of the set instead, or
    is left out if there is none.

    Args:
        relations: (n, 2) left and right sides, all different.
        possible: tells whether a left and a right side may serve as a non-relation.
        key: name of the random order.

    Returns:
        (m, 2) left and right sides, all different, with m ≤ n.
    """
    lefts = relations[:, 0].tolist()
    rights = [relations[row, 1].item() for row in shuffled(range(len(relations)), key)]
    used: set[tuple[int, int]] = set()

    def fits(left: int, right: int) -> bool:
        return (left, right) not in used and possible(left, right)

    homeless: list[int] = []
    for row, left in enumerate(lefts):
        other = next((i for i in range(row, len(rights)) if fits(left, rights[i])), None)
        if other is None:
            homeless.append(row)
            continue
        rights[row], rights[other] = rights[other], rights[row]
        used.add((left, rights[row]))
    for row in homeless:
        _exchange(row, lefts, rights, homeless, used, fits)
    return np.array(sorted(used), dtype=np.int64).reshape(-1, 2)


def _exchange(
    row: int,
    lefts: list[int],
    rights: list[int],
    homeless: list[int],
    used: set[tuple[int, int]],
    fits: Callable[[int, int], bool],
) -> None:
    """Give a row a right side by an exchange with a settled row, or else any right side that fits."""
    left, right = lefts[row], rights[row]
    for other in range(len(lefts)):
        theirs = (lefts[other], rights[other])
        if other in homeless or not fits(left, theirs[1]) or not fits(theirs[0], right):
            continue
        used.remove(theirs)
        rights[other] = right
        used |= {(left, theirs[1]), (theirs[0], right)}
        rights[row] = theirs[1]
        return
    spare = next((one for one in rights if fits(left, one)), None)
    if spare is not None:
        used.add((left, spare))
