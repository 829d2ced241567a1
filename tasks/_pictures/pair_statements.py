"""Statements on two pictures whose truth follows from what the pictures are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

from mmulbench.tasks._pictures.emoji_categories import CATEGORIES, CategorisedPicture

FORMS: dict[str, tuple[str, Callable[[bool, bool], bool]]] = {
    "both": ("both pictures show {}", lambda left, right: left and right),
    "neither": ("neither picture shows {}", lambda left, right: not left and not right),
    "exactly one": ("exactly one picture shows {}", lambda left, right: left != right),
    "left": ("the left picture shows {}", lambda left, right: left),
    "right": ("the right picture shows {}", lambda left, right: right),
}
"""Statements on one kind: the sentence, and its truth given that of "the left (right) picture is one"."""

ORDER = "{} is left of {}"
"""The statement on two kinds: true where the left picture is of the first and the right one of the second."""


def candidate_statements(left: CategorisedPicture, right: CategorisedPicture) -> Iterator[tuple[str, bool]]:
    """Every statement that can be made on a pair, and whether it is true.

    No statement is made on a kind that either picture may be argued to be. Statements that name only kinds of
    neither picture are left out unless they say so: that a cat and a flag are not both drinks is too easy.
    """
    unsure = {*left.group.unsure, *right.group.unsure}
    kinds = [kind for kind in CATEGORIES if kind not in unsure]
    shown = {kind for kind in kinds if kind in left or kind in right}
    for form, (sentence, truth) in FORMS.items():
        for kind in kinds:
            if kind in shown or form == "neither":
                yield sentence.format(CATEGORIES[kind]), truth(kind in left, kind in right)
    for one, other in permutations(kinds, 2):
        if {one, other} & shown:
            yield ORDER.format(CATEGORIES[one], CATEGORIES[other]), one in left and other in right
