"""Records of methods, tasks and backbones from plug-in files, in specifications and in tables."""

from __future__ import annotations

import json

from mmulbench.records.schema import RunResult, RunSpec
from mmulbench.report import leaderboard
from mmulbench.report.aggregate import group_records

OLD, NEW = "0123abcd" * 2, "4567cdef" * 2


def labels(records: list[RunResult]) -> list[str]:
    (group,) = group_records(records)
    return [row.label for row in group.rows]


def test_a_specification_without_plug_ins_is_as_it_was(record):
    spec = RunSpec(
        task="emoji",
        backbone="albef:packaged",
        method="mmul",
        recipe={"epochs": 5, "lr": 0.001},
        forget_size=70,
        seed=42,
        data_fingerprint="d" * 64,
        metric_version="1",
    )
    assert spec.run_id == "3be167851416", "as before there were plug-ins"
    assert "plugins" not in spec.model_dump()
    assert "plugins" not in json.loads(record().model_dump_json())["spec"]


def test_the_file_is_part_of_the_run(record):
    records = [record(plugins=plugins) for plugins in ({}, {"mmul": OLD}, {"mmul": NEW})]
    assert len({one.run_id for one in records}) == 3
    for one in records:
        assert RunResult.model_validate_json(one.model_dump_json()) == one


def test_versions_of_a_method_are_rows_of_one_table(record):
    old, new = (record("mine", plugins={"mine": digest}) for digest in (OLD, NEW))
    assert labels([old, record("mine", seed=7, plugins={"mine": OLD})]) == ["mine"]
    assert labels([old, new]) == ["mine (plugin 0123abcd)", "mine (plugin 4567cdef)"]
    assert labels([old, record("mine")]) == ["mine", "mine (plugin 0123abcd)"]
    other = record("mine", plugins={"mine": NEW}, config={"lr": 0.1})
    again = record("mine", plugins={"mine": OLD}, config={"lr": 0.2})
    assert labels([other, again]) == ["mine (lr=0.1, plugin 4567cdef)", "mine (lr=0.2, plugin 0123abcd)"]


def test_versions_of_a_task_or_backbone_are_tables(record):
    for plugins in ({"emoji": OLD}, {"albef": OLD}):
        changed = dict.fromkeys(plugins, NEW)
        records = [record(plugins=plugins), record("scrub", plugins=plugins), record(plugins=changed)]
        assert [len(group.rows) for group in group_records(records)] == [2, 1]
        text = leaderboard.render(records, [])
        (name,) = plugins
        assert f"plug-ins: {name}={OLD}\n" in text
        assert f"plug-ins: {name}={NEW}\n" in text
