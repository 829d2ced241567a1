from __future__ import annotations

from mmulbench.records.schema import Making
from mmulbench.report.makings import made_otherwise

AS_THE_RUN = Making(device="cpu", threads=2)


def test_what_differs_is_named_with_both_values(record):
    models = {"retrain": AS_THE_RUN, "original": Making(device="cpu", threads=8, cpu="X")}
    assert made_otherwise(record(models=models)) == [
        "original was trained with other threads (8, here 2), cpu (X, here None)"
    ]


def test_of_what_is_not_known_nothing_is_said(record):
    assert made_otherwise(record()) == []
