"""Which metrics a record can be given, and the line that says why not."""

from __future__ import annotations

import pytest
from forged import forged

from mmulbench.core.metric import CombinedMetric, Needs
from mmulbench.core.registry import METRICS
from mmulbench.errors import UsageError
from mmulbench.runs.further_metrics import further

FAILED = {"status": "failed", "values": {}, "cost": None, "reason": "it broke"}


def without_reference():
    record = forged({})
    bare = {name: one.model_copy(update={"retrain": None}) for name, one in record.values.items()}
    return record.model_copy(update={"values": bare})


def test_what_is_there_is_not_computed_again():
    found = further(forged({}), ["mia", "u_lira", "test"], 8)
    assert (found.names, found.there, found.shadows) == (("u_lira",), ("mia", "test"), 8)
    assert found.is_measured


def test_shadow_models_are_those_of_the_record():
    record = forged({}).model_copy(update={"shadows": 4})
    assert further(record, ["rmia"], 0).shadows == further(record, ["rmia"], 4).shadows == 4
    with pytest.raises(UsageError, match="has values of 4 shadow models, and others cannot stand beside"):
        further(record, ["rmia"], 8)


@pytest.fixture
def combined():
    @METRICS.register("sum_of_all")
    class Sum(CombinedMetric):
        """A metric of others."""

        needs = Needs(values=("test",))

        def compute(self, values, retrain):
            return 0.0

    yield "sum_of_all"
    METRICS.discard("sum_of_all")


def test_what_follows_from_other_values_is_not_measured(combined):
    assert not further(forged({}), [combined], 0).is_measured
    with pytest.raises(UsageError, match=r"sum_of_all: record .* was made with --no-reference"):
        further(without_reference(), [combined], 0)


@pytest.mark.parametrize("name", ["agreement", "retrain_gap", "klom"])
def test_what_compares_with_retrain_needs_one(name):
    with pytest.raises(UsageError, match=f"{name}: record .* was made with --no-reference"):
        further(without_reference(), [name], 4)


@pytest.mark.parametrize(
    ("changes", "names", "shadows", "message"),
    [
        ({}, ["miaa"], 0, "unknown metric 'miaa'; did you mean mia"),
        (FAILED, ["u_lira"], 0, "is failed: there is no model to measure"),
        ({}, ["u_lira"], 0, "u_lira: give --shadows N"),
        ({}, ["mia", "u_lira", "lira"], 0, "u_lira, lira: give --shadows N"),
    ],
)
def test_what_cannot_be_had_is_said(changes, names, shadows, message):
    with pytest.raises(UsageError, match=message):
        further(forged(changes), names, shadows)


@pytest.mark.parametrize("version", ["metric_version", "recipe_version"])
def test_values_of_other_versions_are_not_added_to(version):
    record = forged({})
    record = record.model_copy(update={"spec": record.spec.model_copy(update={version: "1"})})
    with pytest.raises(UsageError, match=f"of version 1 of {version.partition('_')[0]}s, and"):
        further(record, ["u_lira"], 4)


def test_models_that_were_made_elsewhere_have_no_shadow_models():
    record = forged({})
    spec = record.spec.model_copy(update={"given": {"unlearned": "albef:mine@0123456789ab"}})
    with pytest.raises(UsageError, match="u_lira: shadow models take the method, and that of record"):
        further(record.model_copy(update={"spec": spec}), ["u_lira"], 4)


def test_shadow_models_for_nothing_are_refused(combined):
    with pytest.raises(UsageError, match="none of these metrics rests on shadow models"):
        further(forged({}), [combined], 4)
