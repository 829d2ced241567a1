from __future__ import annotations

import pytest
from planted_results import Planted, World

from mmulbench.report.aggregate import group_records
from mmulbench.report.short_names import short_names

WORLD = World(seeds=(42,))
(DEFAULT,) = (one for one in WORLD.records({"mmul": Planted()}, draws=0) if one.spec.method == "mmul")
OWN = DEFAULT.model_copy(
    update={"spec": DEFAULT.spec.model_copy(update={"config": {"lr": 0.1, "beta": 1.0, "gamma": 1.0}})}
)


def made(tuned=False, **config):
    """A record of mmul with such settings, of a study or by hand."""
    found = WORLD.tuned(DEFAULT, **{"lr": 0.1, "beta": 1.0, "gamma": 1.0, **config})
    return found if tuned else found.model_copy(update={"tuning": None})


def names(*records):
    (group,) = group_records(records)
    return sorted(short_names(group.rows, group.competing()).values())


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([OWN], ["mmul"]),
        ([made(tuned=True)], ["mmul (tuned)"]),
        ([OWN, made(beta=0.0)], ["mmul", "mmul, no UKR"]),
        ([OWN, made(beta=0.0, gamma=0.0)], ["mmul", "mmul, no UKR, no MKR"]),
        ([OWN, made(gamma=0.5)], ["mmul", "mmul, gamma=0.5"]),
        # An ablation of tuned settings is named by those, not by what tuning changed.
        (
            [OWN, made(tuned=True, lr=0.3), made(lr=0.3, beta=0.0)],
            ["mmul (tuned)", "mmul, default", "mmul, no UKR"],
        ),
        (
            [OWN, made(tuned=True, lr=0.3), made(beta=0.0)],
            ["mmul (tuned)", "mmul, default", "mmul, default, no UKR"],
        ),
        ([made(lr=0.2), made(lr=0.3)], ["mmul (lr=0.2)", "mmul (lr=0.3)"]),
        (
            [made(tuned=True, lr=0.2), made(tuned=True, lr=0.3)],
            ["mmul (tuned, lr=0.2)", "mmul (tuned, lr=0.3)"],
        ),
    ],
)
def test_names_are_short_and_no_two_are_the_same(records, expected):
    assert names(*records) == sorted(expected)


def test_terms_of_a_method_that_is_not_here_are_named_by_their_settings():
    gone = [
        one.model_copy(update={"spec": one.spec.model_copy(update={"method": "gone"})})
        for one in (OWN, made(beta=0.0))
    ]
    assert names(*gone) == ["gone", "gone, beta=0.0"]
