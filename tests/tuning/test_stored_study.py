"""A study that is there is gone on with, refused or replaced, as asked."""

from __future__ import annotations

import json

import pytest
from tuning_toys import Made, Slope, search, slope_spec

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.study import write_study
from mmulbench.tuning.stored_study import differences, stored_study


@pytest.fixture(scope="module")
def study(emoji):
    return search(slope_spec(emoji), emoji, [Made(lambda c: c.x)] * 2, 2)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "slope.json"


def test_the_same_study_goes_on_and_none_begins(study, path):
    assert stored_study(path, study.spec, study.code, replace=False) is None
    write_study(path, study)
    for replace in (False, True):
        assert stored_study(path, study.spec, study.code, replace=replace) == study


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget": 0.25}, "is of budget 0.5 (wanted: 0.25)"),
        ({"recipe": {"epochs": 1}}, "is of recipe.lr "),
        ({"seeds": (1, 3)}, "is of seeds [1, 2] (wanted: [1, 3])"),
        ({"forget_size": 5}, "is of forget_size 4 (wanted: 5)"),
    ],
)
def test_another_study_is_replaced_only_where_that_is_asked_for(change, said, study, path):
    write_study(path, study)
    before = path.read_bytes()
    wanted = study.spec.model_copy(update=change)
    with pytest.raises(UsageError) as error:
        stored_study(path, wanted, study.code, replace=False)
    text = str(error.value)
    assert text.startswith(f"the study {path} {said}")
    assert text.endswith(": --replace replaces it, --tuned-dir with another folder keeps it")
    assert stored_study(path, wanted, study.code, replace=True) is None
    assert path.read_bytes() == before


def test_a_study_of_other_versions_is_replaced_only_where_that_is_asked_for(study, path):
    content = json.loads(study.model_dump_json())
    path.write_text(json.dumps({**content, "spec": {**content["spec"], "recipe_version": "1"}}))
    with pytest.raises(UsageError, match=r"is of metrics \d+, recipe 1, .*: --replace replaces it"):
        stored_study(path, study.spec, study.code, replace=False)
    assert stored_study(path, study.spec, study.code, replace=True) is None


def test_a_damaged_study_is_never_replaced(study, path):
    path.write_text("{")
    with pytest.raises(MmulbenchError, match=f"cannot read the study {path}: .*; delete it and tune again"):
        stored_study(path, study.spec, study.code, replace=True)


def test_many_differences_are_counted_and_long_ones_shortened(study, emoji):
    wanted = slope_spec(emoji, Slope(Slope.Config(x=0.25, k=2, fixed=1)), budget=0.25)
    assert differences(study.spec, wanted) == (
        "defaults.x 0.5 (wanted: 0.25), defaults.k 3 (wanted: 2), defaults.fixed 7 (wanted: 1), 1 more"
    )
    other = study.spec.model_copy(update={"data_fingerprint": "ab" * 32, "plugins": {"slope": "cd"}})
    assert "(wanted: abababababab…), plugins.slope none (wanted: cd)" in differences(study.spec, other)


def test_a_study_of_other_code_is_replaced_only_where_that_is_asked_for(study, path):
    assert set(study.code) == {"method", "task", "backbone"}
    write_study(path, study)
    today = {**study.code, "method": "0" * 16}
    with pytest.raises(UsageError, match="is of other code of method: --replace replaces it"):
        stored_study(path, study.spec, today, replace=False)
    assert stored_study(path, study.spec, today, replace=True) is None
    assert stored_study(path, study.spec, {}, replace=False) == study
