"""The bootstrap over units against planted scores, of which the truth is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from planted_results import Planted, World

from mmulbench.metrics.separation import placements
from mmulbench.records.schema import ForgetList
from mmulbench.report.aggregate import group_records
from mmulbench.report.paired import over_seeds
from mmulbench.report.paired_units import _losses, _shares_below, gap_interval, unit_interval

SEEDS = (21, 42, 87)
KEY = "mia/matching"
FORGET, TEST = 64, 100


def records_of(**planted):
    found = World(units=FORGET).records(planted, draws=0)
    return {(one.spec.method, one.spec.seed): one for one in found}


BASE = records_of(a=Planted(), b=Planted())


def table_of(forget, test):
    """A file of scores, as far as it is read: a unit has one pair."""
    count = len(forget) + len(test)
    return pa.table(
        {
            "split": ["forget"] * len(forget) + ["test"] * len(test),
            "unit": np.arange(count),
            "path": ["matching"] * count,
            "pairs": np.ones(count, dtype=np.int32),
            "loss": np.concatenate([forget, test]).astype(np.float32),
        }
    )


def planted_pair(rng, seed, test, shift=0.0):
    """Records of two methods of one seed, whose losses have a part of the unit's and one of the model's."""
    unit, pair, units = rng.normal(size=FORGET), [], {}
    for method, moved in (("a", shift), ("b", 0.0)):
        forget = unit + rng.normal(size=FORGET) - moved
        own = test + rng.normal(size=TEST)
        by_unit = {"pairs": [1.0] * FORGET, KEY: placements(forget, own).tolist()}
        record = BASE[method, seed].model_copy(update={"by_unit": by_unit})
        pair.append(record)
        units[record.run_id] = table_of(forget, own)
    return tuple(pair), units


def compared(number, *, shift=0.0, with_test=True):
    """Difference and both intervals of one planted comparison of three seeds."""
    rng = np.random.default_rng([5, number])
    test, pairs, units = rng.normal(size=TEST), [], {}
    for seed in SEEDS:
        pair, more = planted_pair(rng, seed, test, shift)
        pairs.append(pair)
        units |= more
    differences = np.array([np.mean(own.by_unit[KEY]) - np.mean(other.by_unit[KEY]) for own, other in pairs])
    difference = float(differences.mean())
    by_units = unit_interval(pairs, KEY, difference, units if with_test else {})
    return difference, by_units, over_seeds(differences)


@pytest.mark.slow
def test_without_a_difference_nineteen_of_twenty_intervals_hold_zero():
    found = [compared(number) for number in range(120)]
    for place in (1, 2):
        covered = np.mean([one[place].low <= 0 <= one[place].high for one in found])
        assert covered == pytest.approx(0.95, abs=0.04), place


def test_the_test_units_count_where_they_are_known():
    widths = {
        known: np.mean(
            [one.high - one.low for number in range(4) for one in [compared(number, with_test=known)[1]]]
        )
        for known in (True, False)
    }
    assert widths[True] > 1.15 * widths[False]


def test_a_planted_difference_is_found():
    difference, by_units, _ = compared(0, shift=1.5)
    assert by_units.low <= difference <= by_units.high and by_units.p < 1e-4 and by_units.n == 3 * FORGET
    assert by_units.effect > 0.5


def test_what_a_test_unit_adds_is_the_auc_from_its_side():
    rng = np.random.default_rng(0)
    forget, test = rng.normal(size=FORGET), rng.normal(1.0, size=TEST)
    table = table_of(forget, test)
    shares = _shares_below(_losses(table, "forget", "matching"), _losses(table, "test", "matching").means)
    assert shares.mean() == pytest.approx(placements(forget, test).mean(), abs=1e-9)
    for share, loss in zip(shares[:5], test, strict=False):
        assert share == pytest.approx(np.mean(forget.astype(np.float32) < np.float32(loss)))


def test_equal_losses_count_half():
    table = table_of(np.array([0.0, 1.0, 1.0, 3.0]), np.array([1.0, 2.0]))
    forget, test = (_losses(table, split, "matching") for split in ("forget", "test"))
    assert _shares_below(forget, test.means).tolist() == [(1 + 3) / 2 / 4, 3 / 4]


def test_units_of_a_list_are_drawn_alike_for_all_seeds():
    # The same units of all seeds bring no more certainty than those of one.
    widths = []
    for named in (None, ForgetList(digest="f" * 64, level="units", pairs=FORGET)):
        pairs = []
        by_unit = {name: [*BASE[name, 42].by_unit["forget"]] for name in "ab"}
        for seed in SEEDS:
            spec = {"forget": named, "seed": seed}
            pair = [BASE[name, seed] for name in "ab"]
            pairs.append(
                tuple(
                    one.model_copy(
                        update={
                            "spec": one.spec.model_copy(update=spec),
                            "by_unit": {"pairs": one.by_unit["pairs"], "forget": by_unit[one.spec.method]},
                        }
                    )
                    for one in pair
                )
            )
        found = unit_interval(pairs, "forget", 0.0, {})
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(widths[0] * np.sqrt(3), rel=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"pairs": [3.0] * 63, KEY: [0.5] * 63},
        {"pairs": [2.0] * FORGET, KEY: [0.5] * FORGET},
    ],
    ids=["absent", "fewer", "other pairs"],
)
def test_without_numbers_of_the_same_units_there_is_no_interval(change):
    pair = BASE["a", 42], BASE["b", 42].model_copy(update={"by_unit": change})
    assert unit_interval([pair], KEY, 0.1, {}) is None
    assert unit_interval([(BASE["a", 21], BASE["b", 21]), pair], KEY, 0.1, {}) is None


def test_few_units_have_no_interval():
    few = {(one.spec.method, one.spec.seed): one for one in World(units=20).records({"a": Planted()})}
    pair = few["a", 42], few["a", 42]
    assert unit_interval([pair], KEY, 0.0, {}) is None


def rows_of(records):
    (group,) = group_records(records)
    return {row.method: row for row in group.rows}


def test_the_gap_is_judged_beside_retrain_by_forget_units():
    found = rows_of(World().records({"near": Planted(), "far": Planted({"forget": 0.3})}, draws=0))
    near, far, retrain = found["near"], found["far"], found["retrain"]
    difference = far.summary("retrain_gap").mean - near.summary("retrain_gap").mean
    judged = gap_interval(far, near, retrain.done, difference)
    assert judged.low < difference < judged.high and judged.p < 0.01 and judged.effect is None
    assert gap_interval(far, near, retrain.done[:2], difference) is None
    assert gap_interval(far, near, [], difference) is None
