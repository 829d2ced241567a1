"""What is wrong with a stored model is said in one line."""

from __future__ import annotations

import pytest
from pydantic import ValidationError, field_validator

from mmulbench.errors import MmulbenchError
from mmulbench.frozen import Frozen
from mmulbench.records.reading import first_fault, reading


class Inner(Frozen):
    seed: int


class Outer(Frozen):
    spec: Inner


def test_the_first_fault_has_its_place():
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"spec": {}, "more": 1})
    assert first_fault(caught.value) == "spec.seed: Field required"


def test_a_fault_of_the_whole_has_none():
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate_json("{")
    assert first_fault(caught.value).startswith("Invalid JSON")


def test_a_faulty_model_and_an_unreadable_file_become_one_line(tmp_path):
    expected = r"^cannot read the study x: seed: Field required; delete it$"
    with pytest.raises(MmulbenchError, match=expected), reading("the study x", "delete it"):
        Inner.model_validate({})
    expected = r"^cannot read the study x: No such file or directory$"
    with pytest.raises(MmulbenchError, match=expected), reading("the study x", "delete it"):
        (tmp_path / "x").read_text()


def test_what_a_check_of_ours_says_has_no_prefix():
    class Even(Frozen):
        number: int

        @field_validator("number")
        @classmethod
        def _check(cls, number: int) -> int:
            if number % 2:
                raise ValueError("it must be even")
            return number

    with pytest.raises(ValidationError) as caught:
        Even.model_validate({"number": 1})
    assert first_fault(caught.value) == "number: it must be even"
