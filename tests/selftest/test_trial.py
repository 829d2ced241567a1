"""What is said is compared with what is true."""

from __future__ import annotations

from mmulbench.records.schema import Value
from mmulbench.selftest.expectations import ROWS
from mmulbench.selftest.judged import Judged
from mmulbench.selftest.trial import Statement, _of_others, _of_values

ROW = next(row for row in ROWS if row.value == "mia/contrastive")


def said(number, retrain=0.5):
    value = Value(value=number, n=1, direction="closest_to_retrain", retrain=retrain)
    judged = Judged((), {"untouched": {ROW.value: value}})
    (found,) = (one for one in _of_values(judged, "untouched") if one.measure.startswith(ROW.value + " "))
    return found


def test_a_number_is_right_within_its_bounds():
    low, high = ROW.expected("untouched")
    assert said(0.5 + low).holds and said(0.5 + high).holds
    assert said(0.5 + low - 0.01).holds is False
    assert said(0.5 + high + 0.01).holds is False
    assert said(0.5, retrain=0.5 - high).holds


def test_a_statement_says_what_was_expected():
    low, high = ROW.expected("untouched")
    expected = f"{low:.2f} to {high:.2f}"
    assert said(0.8) == Statement("untouched", "mia/contrastive - retrain", expected, "0.300", holds=True)


def test_a_number_that_is_missing_is_wrong():
    found = said(None)
    assert (found.found, found.holds) == ("none", False)


class OfShadowsAlone(Judged):
    """Holds no records, so that the names of values are those of shadow models."""

    def names(self):
        return list(self.others["shifted"])


def test_metrics_that_are_not_built_in_are_not_judged():
    own = Value(value=0.25, n=1, direction="lower")
    judged = OfShadowsAlone((), {"shifted": {"my_metric": own, "my_metric/part": own, "u_lira": own}})
    assert list(_of_others(judged, "shifted")) == [
        Statement("shifted", name, "", "0.250", holds=None) for name in ("my_metric", "my_metric/part")
    ]
