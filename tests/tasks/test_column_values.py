"""Texts of a column are held once, and read as a list is."""

from __future__ import annotations

import numpy as np
import pytest

from mmulbench.tasks._tables.column_values import ColumnValues
from mmulbench.tasks._tables.table_file import texts


def test_rows_of_a_column_are_taken_in_their_order():
    column = ColumnValues.of(texts(["a", "b", "a", "c"]), np.array([2, 0, 1]))
    assert list(column) == ["a", "a", "b"] and len(column) == 3
    assert column.different == ("a", "b") and column.codes.tolist() == [0, 0, 1]


def test_it_is_read_as_a_list_is():
    column = ColumnValues(["x", "y"], np.array([1, 0, 1]))
    assert column[0] == column[-1] == "y" and column[1:] == ["x", "y"] and column.index("x") == 1
    with pytest.raises(IndexError):
        column[3]
