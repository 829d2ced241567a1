from __future__ import annotations

from forged import forged

from mmulbench.audit.made import made
from mmulbench.core.reproduce import command_of


def facts(changes):
    return {fact.label: fact.text for fact in made(forged(changes), "7" * 64)}


def test_the_command_follows_from_the_specification_and_is_not_the_one_of_the_file():
    found = facts({"command": "rm -rf ~"})
    assert found["Command"] == command_of(forged({})) != "rm -rf ~"
    assert found["Command"].startswith("mmulbench run --method mmul --task emoji")


def test_versions_machine_and_digests_are_there():
    record, found = forged({}), facts({})
    assert found["Record"] == record.run_id
    assert found["SHA-256 of the record's file"] == "7" * 64
    for name, version in record.environment.packages.items():
        assert f"{name} {version}" in found["Packages"]
    assert record.environment.git_commit in found["mmulbench"]
    assert found["Original and retrain"] == "not known where they were trained"
    assert "Plug-in files" not in found
    assert facts({"spec.plugins": {"mmul": "0" * 12}})["Plug-in files"] == f"mmul {'0' * 12}"
