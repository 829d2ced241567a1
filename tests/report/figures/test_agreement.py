from __future__ import annotations

import numpy as np
import pytest
from figures_seen import drawn, subject_of
from scipy.stats import spearmanr

from mmulbench.report.aggregate import group_records
from mmulbench.report.figures.agreement import LEAST, agreement_figure, chance_bound
from mmulbench.report.figures.picture import Absent


def records_of(record, count, **without):
    """Methods whose gap and agreement say the same, whose test utility says the opposite."""
    return [
        record(
            f"method_{place}",
            values={
                "retrain_gap": 0.1 * place,
                "agreement": 1 - 0.2 * place,
                "test": {"value": 0.5 + 0.01 * (count - place), "retrain": 0.5},
                "retain": {"value": 0.9, "retrain": 0.9},
            },
            ratio=[0.3, 0.1, 0.2, 0.5, 0.4, 0.6][place],
        )
        for place in range(count)
    ]


def rho_of(table):
    return {(line["metric"], line["other"]): line["rho"] for line in table.to_dict("records")}


def test_metrics_that_order_methods_alike_correlate_whatever_their_direction(record):
    figure, table = drawn(agreement_figure(subject_of(*group_records(records_of(record, 6)))))
    rho = rho_of(table)
    assert rho["1 − Agreement", "gap"] == pytest.approx(1)
    assert rho["|Δ Test utility|", "gap"] == pytest.approx(-1)
    cost = spearmanr(range(6), [0.3, 0.1, 0.2, 0.5, 0.4, 0.6]).statistic
    assert rho["time / retrain", "gap"] == pytest.approx(cost)
    assert not any("Retain" in metric for pair in rho for metric in pair)  # all have the same
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert texts == {f"{one:.2f}".replace("0.", ".").replace("-", "−") for one in rho.values()}
    assert "over 6 methods" in figure.axes[0].get_title(loc="left")


def test_a_pair_that_too_few_methods_have_is_empty(record):
    records = records_of(record, LEAST)
    less = {name: value for name, value in records[0].values.items() if name != "agreement"}
    records[0] = records[0].model_copy(update={"values": less})
    _, table = drawn(agreement_figure(subject_of(*group_records(records))))
    assert "1 − Agreement" not in set(table["metric"])
    assert set(table["methods"]) == {LEAST}


def test_fewer_methods_are_no_figure(record):
    (group,) = group_records(records_of(record, LEAST - 1))
    assert agreement_figure(subject_of(group)) == Absent("it takes 5 methods with values, and there are 4")


def test_the_bound_is_what_permutations_reach_in_one_of_twenty():
    rng = np.random.default_rng(0)
    found = [abs(spearmanr(range(12), rng.permutation(12)).statistic) for _ in range(500)]
    assert np.quantile(found, 0.95) == pytest.approx(chance_bound(12), abs=0.06)
