"""What a record has stays; what is added agrees with it."""

from __future__ import annotations

import pytest

from mmulbench.core.metric import CombinedMetric, Needs, PathMetric
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.added import metrics_in, with_added
from mmulbench.records.schema import Value


class Sure(PathMetric):
    """A metric of paths."""

    direction = "higher"

    def compute(self, observation):
        raise AssertionError


class Lost(CombinedMetric):
    """How much less than retrain a model can do."""

    direction = "lower"
    needs = Needs(values=("test", "mia"))

    def compute(self, values, retrain):
        return sum(abs(values[name] - retrain[name]) for name in values)


def value(number, retrain=0.5, original=0.7):
    return Value(value=number, n=9, direction="higher", retrain=retrain, original=original)


BEFORE = {"test": value(0.5), "mia": value(0.4), "mia/a": value(0.4), "mia/b": value(0.45)}


def test_only_what_is_wanted_is_added_and_headlines_come_first():
    computed = {"sure": value(0.1), "other": value(0.3), "sure/a": value(0.2)}
    found = with_added(BEFORE, computed, [Sure("sure")])
    assert list(found.values) == ["test", "mia", "sure", "mia/a", "mia/b", "sure/a"]
    assert all(found.values[name] is BEFORE[name] for name in BEFORE)
    assert found.differing == ()


def test_what_comes_out_otherwise_is_named_and_kept():
    computed = {**BEFORE, "mia/b": value(0.46), "test": value(0.5, original=0.8), "sure": value(0.1)}
    found = with_added(BEFORE, computed, [Sure("sure")])
    assert found.differing == ("test", "mia/b")
    assert found.values["mia/b"].value == 0.45 and found.values["test"].original == 0.7


def test_a_combined_metric_is_computed_of_the_values_that_are_kept():
    computed = {**BEFORE, "mia/a": value(0.9)}
    found = with_added(BEFORE, computed, [Lost("lost")]).values["lost"]
    assert found.value == pytest.approx(0.0 + 0.1 + 0.05)
    assert (found.retrain, found.n) == (0.0, 2) and found.original == pytest.approx(0.6)


@pytest.mark.parametrize(
    "before", [{"test": value(0.5)}, {**BEFORE, "mia/a": value(None)}, {**BEFORE, "test": value(0.5, None)}]
)
def test_a_combined_metric_of_what_is_not_there_is_refused(before):
    with pytest.raises(NotApplicable, match=r"lost reads (mia|mia/a|test), of which the record has no value"):
        with_added(before, {}, [Lost("lost")])


def test_values_are_known_by_their_metrics():
    assert metrics_in(BEFORE) == {"test", "mia"}
