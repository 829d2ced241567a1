from __future__ import annotations

import pytest
from planted_results import Planted, World, changed

from mmulbench.report.aggregate import group_records
from mmulbench.report.floor import Floor
from mmulbench.report.row_verdicts import row_verdicts
from mmulbench.report.verdict import judge

LEAKING = ("mia__matching", "mia__contrastive")


def leaking_on(seeds):
    """A planted retrain whose attack is far above retrain's on some seeds."""
    records = []
    for record in World(known=0.3).records({"near": Planted()}):
        if record.spec.method == "near" and record.spec.seed in seeds:
            values = {name: record.values[name.replace("__", "/")] for name in LEAKING}
            record = changed(
                record, **{n: v.model_copy(update={"value": v.value + 0.3}) for n, v in values.items()}
            )
        records.append(record)
    (group,) = group_records(records)
    return verdict_of("near", group), records


def verdict_of(method, group):
    (label,) = (row.label for row in group.rows if row.method == method)
    return row_verdicts(group)[label]


@pytest.mark.parametrize(
    ("seeds", "said", "never"),
    [
        ((), "forgot", False),
        ((21,), "forgot 2/3", False),
        ((21, 42), "did not forget 2/3", False),
        ((21, 42, 87), "did not forget", True),
    ],
)
def test_the_verdict_of_most_seeds_stands_for_the_row(seeds, said, never):
    verdict, records = leaking_on(seeds)
    assert (str(verdict), verdict.never_forgot) == (said, never)
    own = [one for one in records if one.spec.method == "near"]
    kinds = [judge(one, Floor.of(one, records)).kind for one in own]
    assert kinds.count("did not forget") == len(seeds) == verdict.of - verdict.forgot


def test_of_as_many_seeds_the_worse_verdict_stands():
    records = [one for one in leaking_on((21,))[1] if one.spec.seed in (21, 42)]
    (group,) = group_records(records)
    assert str(verdict_of("near", group)) == "did not forget 1/2"


def test_a_row_without_numbers_never_failed_to_forget():
    records = World().records({"near": Planted()})
    gone = {"status": "failed", "reason": "x", "values": {}, "cost": None, "by_unit": {}, "histograms": {}}
    failed = [one.model_copy(update=gone) if one.spec.method == "near" else one for one in records]
    (group,) = group_records(failed, ["absent"])
    assert "absent" not in row_verdicts(group)
    assert str(verdict_of("near", group)) == "no result" and not verdict_of("near", group).never_forgot
