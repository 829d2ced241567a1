"""A study that does not hold together is found, and not used."""

from __future__ import annotations

import pytest
from tuning_toys import Made, Slope, search, slope_spec

from mmulbench.errors import MmulbenchError
from mmulbench.records.study import read_study, study_path, tuned_default, write_study
from mmulbench.records.study_faults import fault_of


@pytest.fixture(scope="module")
def study(emoji):
    return search(slope_spec(emoji), emoji, [Made(lambda c: c.x)] * 2, 5)


def with_trial(study, number, **changes):
    trials = list(study.trials)
    trials[number] = trials[number].model_copy(update=changes)
    return study.model_copy(update={"trials": trials})


def test_a_study_as_it_is_made_holds(study):
    assert fault_of(study) is None


@pytest.mark.parametrize(
    ("number", "changes", "text"),
    [
        (1, {"objective": 0.0}, "trials.1.objective is 0.0; it should be "),
        (2, {"settings": {"x": 5.0, "k": 3}}, "trials.2.settings.x is 5.0; it should be in the range"),
        (0, {"by_seed": [-1.0, 1.0], "objective": 0.0}, "trials.0.by_seed has -1.0; "),
        (0, {"lost": [0.0, 1.5]}, "trials.0.lost has 1.5; it should be between -1 and 1"),
        (0, {"lost": []}, "trials.0.lost has 0 numbers; it should have 2, by spec.utility_tolerance"),
        (0, {"by_seed": [0.5], "lost": [0.0], "objective": 0.5}, "trials.0.by_seed has 1 numbers; "),
        (0, {"state": "failed"}, "trials.0.objective is 0.5; it should be null, since the state is failed"),
        (
            0,
            {"objective": None},
            "trials.0.objective is None; it should be a number, since the state is done",
        ),
    ],
)
def test_a_forged_trial_is_found(study, number, changes, text):
    assert (fault_of(with_trial(study, number, **changes)) or "").startswith(text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"do_nothing": [0.5]}, "do_nothing has 1 numbers; "),
        ({"do_nothing": [0.5, -0.5]}, "do_nothing.1 is -0.5; "),
        ({"over_budget": "too much"}, "trials are there; "),
    ],
)
def test_a_forged_study_is_found(study, changes, text):
    assert (fault_of(study.model_copy(update=changes)) or "").startswith(text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"budget": 0.0}, "spec.budget is 0.0; "),
        ({"seeds": (1, 1)}, "spec.seeds are [1, 1]; "),
        ({"check_seed": 2}, "spec.seeds are [1, 2]; "),
    ],
)
def test_a_forged_specification_is_found(study, changes, text):
    other = study.model_copy(update={"spec": study.spec.model_copy(update=changes)})
    assert (fault_of(other) or "").startswith(text)


def test_it_is_not_read(study, tmp_path):
    path = study_path(tmp_path, "emoji", "albef:tiny", "slope")
    write_study(path, with_trial(study, 1, objective=0.0))
    wanted = (
        r"^the study .*slope.json does not hold: trials.1.objective is 0.0; .*; delete it and tune again$"
    )
    with pytest.raises(MmulbenchError, match=wanted):
        read_study(path)


@pytest.mark.parametrize("place", [("emoji", "albef:tiny", "other"), ("flags", "albef:tiny", "slope")])
def test_a_copy_in_another_s_place_is_not_used(study, tmp_path, place):
    task, backbone, method = place
    write_study(study_path(tmp_path, *place), study)
    with pytest.raises(MmulbenchError, match="it is of slope on emoji with albef:tiny and belongs at "):
        tuned_default([(task, backbone)], method, Slope.Config(), tmp_path, print)
