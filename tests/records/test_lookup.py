from __future__ import annotations

import pytest
from planted_results import Planted, World

from mmulbench.errors import UsageError
from mmulbench.records.lookup import find_records
from mmulbench.records.store import ResultsStore


@pytest.fixture
def results(tmp_path):
    root = tmp_path / "results"
    for record in World().records({"mmul": Planted(), "scrub": Planted()}, draws=1):
        ResultsStore(root).write(record)
    return root


def test_names_of_method_task_and_backbone_choose(results):
    everything = sorted(results.rglob("*.json"))
    assert find_records("mmul", results) == sorted(results.glob("*/*/mmul/*.json"))
    assert find_records("emoji", results) == find_records("albef:packaged", results) == everything
    assert find_records("emoji/scrub", results) == find_records("scrub/emoji/", results)
    assert len(find_records("emoji/scrub", results)) == 3


def test_the_start_of_an_id_chooses(results):
    path = find_records("mmul", results)[1]
    identity = path.stem.rpartition("-")[2]
    assert find_records(identity, results) == find_records(identity[:5], results) == [path]
    with pytest.raises(UsageError, match="no id in"):
        find_records(identity[:3], results)  # too short to be meant as one


def test_a_path_is_a_path_wherever_it_leads(results, tmp_path):
    path = find_records("mmul", results)[0]
    assert find_records(str(path), results) == [path]
    assert find_records("nowhere.json", results)[0].name == "nowhere.json"
    other = tmp_path / "record"
    other.write_bytes(path.read_bytes())
    assert find_records(str(other), results) == [other]


@pytest.mark.parametrize("text", ["mmull", "emoji/flags", "", "/", "zzzz"])
def test_what_names_nothing_is_said(results, text):
    with pytest.raises(UsageError, match=r"is no record's path or name, and no id in .* begins with it"):
        find_records(text, results)


def test_an_empty_folder_says_that_it_is(tmp_path):
    with pytest.raises(UsageError, match="holds no records"):
        find_records("mmul", tmp_path / "none")
