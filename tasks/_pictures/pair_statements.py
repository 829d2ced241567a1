"""Make statements about two pictures whose truth follows from what the pictures are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import NamedTuple

from mmulbench.tasks._pictures.emoji_categories import CATEGORIES, CategorisedPicture
from mmulbench.tasks._pictures.statements import Statement


class StatementForm(NamedTuple):
    """Describes a form of statement about one category.

    Attributes:
        sentence: words of the statement, with ``{}`` for the category.
        truth: whether the statement is true, given whether the left and the right picture show the category.
        of_absent: whether statements are made about categories of neither picture, too.
    """

    sentence: str
    truth: Callable[[bool, bool], bool]
    of_absent: bool = False


FORMS = (
    StatementForm("both pictures show {}", lambda left, right: left and right),
    StatementForm("neither picture shows {}", lambda left, right: not left and not right, of_absent=True),
    StatementForm("exactly one picture shows {}", lambda left, right: left != right),
    StatementForm("the left picture shows {}", lambda left, right: left),
    StatementForm("the right picture shows {}", lambda left, right: right),
)
"""Forms of statement about one category, in a fixed order."""

ORDER = "{} is left of {}"
"""Statement about two categories, which are those of the left and of the right picture if it is true."""


def candidate_statements(left: CategorisedPicture, right: CategorisedPicture) -> Iterator[Statement]:
    """Make every statement that can be made about a pair of pictures.

    No statement is made about a category that either picture may be argued to be. Statements that name only
    categories of neither picture are left out unless they say so: that a cat and a flag are not both drinks
    is too easy.

    Args:
        left: left picture.
        right: right picture.
    """
    unsure = {*left.group.unsure, *right.group.unsure}
    categories = [one for one in CATEGORIES if one not in unsure]
    shown = {one for one in categories if one in left or one in right}
    for form in FORMS:
        for one in categories:
            if one in shown or form.of_absent:
                yield Statement(form.sentence.format(CATEGORIES[one]), form.truth(one in left, one in right))
    for one, other in permutations(categories, 2):
        if {one, other} & shown:
            yield Statement(ORDER.format(CATEGORIES[one], CATEGORIES[other]), one in left and other in right)
