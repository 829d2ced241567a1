"""Methods that delete classes: never applicable, and they say so wherever they are asked."""

from __future__ import annotations

import pytest
from toys import toy_problem

from mmulbench.core.registry import METHODS, TASKS
from mmulbench.errors import NotApplicable


@pytest.mark.parametrize("name", ["unsir", "erm_ktp"])
def test_the_reason_is_the_same_before_and_in_unlearning(name):
    cls = METHODS.get(name)
    reasons = {cls.applies_to(TASKS.get(task)()) for task in ("emoji", "emoji_nlvr", "hpo_pgr")}
    with pytest.raises(NotApplicable) as raised:
        cls().unlearn(toy_problem())
    assert reasons == {str(raised.value)}


@pytest.mark.parametrize("name", ["unsir", "erm_ktp"])
def test_they_are_recorded_as_not_applicable(name, record):
    found = record(METHODS.get(name)(), name)
    assert found.status == "not_applicable" and "pairs are deleted" in found.reason
