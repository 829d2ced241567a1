"""Faults planted in what a record says of failure, models, and the weights it started from."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from forged import committed, forged

from mmulbench.metrics.memory import LIMIT
from mmulbench.validity.run_facts import check_facts

FRAME = {"file": "methods/mine.py", "line": 12, "function": "loss", "source": "return x"}
MAKING = {"device": "cpu", "threads": 1}
FAILED = {"status": "failed", "values": {}, "cost": None, "reason": "it broke"}
ATTACK = {"value": 0.5, "low": 0.4, "high": 0.6}
START = {
    "forget": {"matching": {**ATTACK}},
    "retain": {"matching": {**ATTACK}},
    "utility": {"forget": 0.1, "test": 0.1},
    "limit": LIMIT,
}
CHECKPOINT = "albef:weights@0123456789ab"


def found(changes, method="mmul"):
    return {one.field: one.text for one in check_facts(forged(changes, method)) if one.is_fault}


ADDED = {"metrics": ["mia"], "finished": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"differing": ["mia/matching"], "plugins": {"mia": "0" * 16}}, set()),
        ({"metrics": ["mia", "mine"]}, {"added.0.metrics"}),
        ({"plugins": {"mine": "0" * 16}}, {"added.0.plugins"}),
        ({"differing": ["mia/nowhere"]}, {"added.0.differing"}),
    ],
)
def test_what_was_added_is_there(changes, fields):
    environment = committed()["environment"]
    assert found({"added": [{**ADDED, "environment": environment, **changes}]}).keys() == fields


@pytest.mark.parametrize("method", ["mmul", "retrain", "original"])
def test_a_committed_record_holds(method):
    assert found({}, method) == {}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({**FAILED, "trace": [FRAME] * 3}, set()),
        ({"trace": [FRAME]}, {"trace"}),
        ({**FAILED, "status": "not_applicable", "trace": [FRAME]}, {"trace"}),
        ({**FAILED, "trace": [FRAME] * 4}, {"trace"}),
        ({**FAILED, "trace": [FRAME, {**FRAME, "line": 0}]}, {"trace.1.line"}),
        ({**FAILED, "trace": [{**FRAME, "file": "", "function": ""}]}, {"trace.0.file", "trace.0.function"}),
    ],
)
def test_a_trace_is_that_of_a_failure(changes, fields):
    assert found(changes).keys() == fields


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"models": {"original": MAKING, "retrain": MAKING}}, set()),
        ({"models": {"original": MAKING, "oracle": MAKING}}, {"models.oracle"}),
        ({"models": {"original": {**MAKING, "threads": 0}}}, {"models.original.threads"}),
        ({"models": {"retrain": {**MAKING, "device": ""}}}, {"models.retrain.device"}),
        ({**FAILED, "models": {"original": MAKING}}, {"models.original"}),
    ],
)
def test_models_are_those_of_the_run(changes, fields):
    assert found(changes).keys() == fields


def test_without_a_reference_there_is_no_retrain_that_was_made():
    values = {name: {**value, "retrain": None} for name, value in committed()["values"].items()}
    changes = {"values": values, "models": {"original": MAKING, "retrain": MAKING}}
    assert found(changes).keys() == {"models.retrain"}


def test_units_are_those_of_a_run_that_is_done():
    assert found({"units": "0" * 64}) == {}
    assert found({**FAILED, "units": "0" * 64}).keys() == {"units"}


def start(place=None, value=None):
    """What a start says, with one part of it forged."""
    forged_start: dict[str, Any] = copy.deepcopy(START)
    if place is not None:
        *above, last = place.split(".")
        inner = forged_start
        for name in above:
            inner = inner[name]
        inner[last] = value
    return forged_start


def of_start(fields):
    """A record of a checkpoint; the committed one has no start."""
    record = forged({"spec.backbone": CHECKPOINT})
    return type(record).model_validate({**record.model_dump(mode="json"), "start": fields})


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        ("forget.matching.low", 0.55, "start.forget.matching"),
        ("retain.matching.high", 1.5, "start.retain.matching"),
        ("retain.matching.value", -0.5, "start.retain.matching"),
        ("forget.matching", {"value": 0.9, "low": 0.8, "high": 1.0}, "start.forget.matching.low"),
        ("limit", 0.95, "start.limit"),
        ("retain", {"contrastive": ATTACK}, "start.retain"),
        ("utility", {"forget": 0.1}, "start.utility"),
        ("utility.test", 1.2, "start.utility.test"),
    ],
)
def test_a_start_that_does_not_hold_is_found(place, value, field):
    assert [one.field for one in check_facts(of_start(start(place, value)))] == [field]


def test_a_start_is_that_of_a_checkpoint():
    assert list(check_facts(of_start(start()))) == []
    fields = {**committed(), "start": start()}
    (fault,) = check_facts(type(forged({})).model_validate(fields))
    assert fault.text == "start is there; it should be absent, since the initial weights are random"
    empty = of_start({**start(), "forget": {}, "retain": {}})
    assert [one.field for one in check_facts(empty)] == ["start.retain"]
