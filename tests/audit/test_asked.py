from __future__ import annotations

import pytest
from forged import forged

from mmulbench.audit.asked import LONGEST_IDS, asked, pairs_asked

LIST = {"digest": "a" * 64, "level": "units", "pairs": 624}


def facts(changes, **how):
    result = forged(changes)
    return {fact.label: fact.text for fact in asked(result, **{"show_ids": False, **how})}


def test_a_drawn_forget_set_is_counted_and_said_to_be_drawn():
    record = forged({})
    found = facts({})
    assert pairs_asked(record) == sum(record.by_unit["pairs"])
    assert found["To be forgotten"] == f"64 forget units with {pairs_asked(record)} pairs in all"
    assert found["Chosen by"].startswith("a random draw with seed 42")
    assert found["Digest of the data"] == record.spec.data_fingerprint
    assert found["Data"].startswith("task emoji: Retrieve emoji by their names")
    assert "2026" in found["Done"] and "Digest of the list" not in found


def test_a_list_has_a_digest_and_no_ids():
    found = facts({"spec.forget": LIST})
    assert found["To be forgotten"] == "64 forget units with 624 pairs in all"
    assert found["Chosen by"] == "a list, of which the record holds the digest alone"
    assert found["Digest of the list"] == "a" * 64
    single = facts({"spec.forget": LIST | {"level": "pairs"}})
    assert single["To be forgotten"].startswith("624 single pairs of 64 forget units; all other pairs")


@pytest.mark.parametrize("show_ids", [False, True])
def test_ids_are_named_only_where_they_are_asked_for(show_ids):
    ids = [f"person {number:04}" for number in range(1000)]
    found = facts({"spec.forget": LIST, "forget_ids": ["4711\tname", *ids]}, show_ids=show_ids)
    assert ("4711 with name" in str(found)) == ("person" in str(found)) == show_ids
    if show_ids:
        text = found["Ids on the list"]
        named = text.count("person")
        assert len(text) < LONGEST_IDS + 100 and named == (LONGEST_IDS - len("4711\tname, ")) // 13
        assert text.endswith(f"person {named - 1:04} and {1000 - named} more, which the record names")


def test_an_id_that_is_longer_than_all_room_is_named_all_the_same():
    found = facts({"spec.forget": LIST, "forget_ids": ["a" * 2 * LONGEST_IDS, "b"]}, show_ids=True)
    assert found["Ids on the list"] == "a" * 2 * LONGEST_IDS + " and 1 more, which the record names"


def test_the_task_of_a_plugin_that_is_not_here_has_its_name_alone():
    assert facts({"spec.task": "elsewhere", "spec.task_config": {}})["Data"] == "task elsewhere"
