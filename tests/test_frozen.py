"""What is stored cannot change, and holds nothing but what was meant."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mmulbench.frozen import Frozen


class Point(Frozen):
    x: float


def test_a_stored_model_cannot_change():
    with pytest.raises(ValidationError, match="frozen"):
        Point(x=1.0).x = 2.0


@pytest.mark.parametrize("fields", [{"x": 1.0, "y": 2.0}, {"x": float("nan")}, {"x": float("inf")}, {}])
def test_unknown_fields_missing_ones_and_numbers_that_are_none_are_refused(fields):
    with pytest.raises(ValidationError):
        Point(**fields)
