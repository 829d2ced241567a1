"""Slim records: the tables are the same to the letter, and take a tenth of the memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from mmulbench.core.registry import METHODS
from mmulbench.records.record_files import read_file
from mmulbench.records.schema import RunResult
from mmulbench.records.slim import UNRANKED, Slimmer
from mmulbench.records.store import ResultsStore
from mmulbench.report import leaderboard

RESULTS = Path(__file__).resolve().parents[2] / "results"


@pytest.fixture(scope="module")
def records() -> list[RunResult]:
    return ResultsStore(RESULTS).load_all()[0]


@pytest.fixture(scope="module")
def slim(records) -> list[RunResult]:
    slimmer = Slimmer()
    return [slimmer.slim(record) for record in records]


@pytest.mark.slow
def test_tables_of_slim_records_are_the_same(records, slim):
    def tables(of: list[RunResult]) -> list[str]:
        return [
            leaderboard.render(of, [], expected_methods=METHODS.names()),
            leaderboard.render(of, [], ["mia", "agreement", "unimodal_cka"]),
            leaderboard.render_paper(of),
        ]

    assert tables(slim) == tables(records)


def test_a_slim_value_has_the_fields_of_a_value(records, slim):
    for record, other in zip(records, slim, strict=True):
        for name, value in other.values.items():
            assert dict(zip(value._fields, value, strict=True)) == record.values[name].model_dump()


def test_what_is_equal_in_several_is_kept_once(slim):
    methods, scene = ("scrub", "finetune"), ("emoji", "albef:packaged", 42)
    first, second = (
        one
        for one in slim
        if one.spec.method in methods
        and (one.spec.task, one.spec.backbone, one.spec.seed) == scene
        and not one.is_tuned
    )
    assert first.environment == second.environment and first.environment is second.environment
    assert first.by_unit["pairs"] is second.by_unit["pairs"]
    assert next(iter(first.values)) is next(iter(second.values))


def test_numbers_by_unit_are_kept_where_rows_are_ranked(records, slim):
    kept = {record.run_id: record.by_unit for record in records}
    for record in slim:
        reads_none = record.spec.method in UNRANKED
        numbers = {name: list(one) for name, one in record.by_unit.items()}
        assert numbers == ({} if reads_none else kept[record.run_id])


def test_a_slim_record_takes_a_fraction_of_the_memory(records):
    path = ResultsStore(RESULTS).path(records[0].spec)
    slimmer = Slimmer()
    slimmer.slim(records[0])  # what is kept once
    sizes = []
    for make in (lambda record: record, slimmer.slim):
        tracemalloc.start()
        kept = [make(found) for _ in range(5) if isinstance(found := read_file(path), RunResult)]
        del found
        sizes.append(tracemalloc.get_traced_memory()[0] / len(kept))
        tracemalloc.stop()
    assert sizes[1] < 0.3 * sizes[0]
