from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.schema import Environment, RunResult, RunSpec, Value
from mmulbench.records.store import ResultsStore, read_record
from mmulbench.records.unit_files import digest_of, unit_file

NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def spec_of(**fields: object) -> RunSpec:
    defaults = {
        "task": "flickr30k",
        "backbone": "hf:org/albef",
        "method": "mmul",
        "config": {"lr": 1e-5, "epochs": 2, "names": "é"},
        "forget_size": 100,
        "seed": 3,
        "data_fingerprint": "f" * 64,
    }
    return RunSpec.model_validate({**defaults, **fields})


def result_of(spec: RunSpec, **fields: object) -> RunResult:
    environment = Environment(
        mmulbench="0.1.0",
        git_commit=None,
        python="3.11",
        platform="x",
        device="cpu",
        threads=1,
        packages={},
    )
    defaults = {
        "run_id": spec.run_id,
        "spec": spec,
        "status": "done",
        "values": {"test": Value(value=0.1 + 0.2, n=10, direction="higher")},
        "command": "mmulbench run",
        "environment": environment,
        "started": NOW,
        "finished": NOW,
    }
    return RunResult.model_validate({**defaults, **fields})


@pytest.fixture
def store(tmp_path: Path) -> ResultsStore:
    return ResultsStore(tmp_path, pytest.fail)


def edit(path: Path, **fields: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_path_names_everything_and_is_flat(tmp_path, store):
    spec = spec_of()
    expected = tmp_path / "flickr30k" / "hf-org--albef" / "mmul" / f"100-3-{spec.run_id}.json"
    assert store.path(spec) == expected


def test_written_record_is_found_and_equal(store):
    spec = spec_of()
    assert store.find(spec) is None
    path = store.write(result_of(spec))
    assert path == store.path(spec)
    assert store.find(spec) == read_record(path) == result_of(spec)
    assert store.find(spec_of(seed=4)) is None


def test_file_is_readable_json_with_a_newline(store):
    text = store.write(result_of(spec_of())).read_text()
    assert text.startswith('{\n "schema_version": 1,\n')
    assert text.endswith("}\n")


def test_write_replaces_and_leaves_no_temporary_file(store):
    spec = spec_of()
    store.write(result_of(spec, status="failed", reason="out of memory"))
    path = store.write(result_of(spec))
    found = store.find(spec)
    assert found is not None
    assert found.status == "done"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("status", ["failed", "diverged", "not_applicable"])
def test_a_done_record_is_never_replaced_by_one_that_is_not(store, status):
    done = result_of(spec_of())
    path = store.write(done)
    before = path.read_bytes()
    worse = result_of(spec_of(), status=status, reason="out of memory", values={})
    assert store.better_than(worse) == store.write_unless_worse(worse) == done
    with pytest.raises(ValueError, match=f"is done, and may not become {status}"):
        store.write(worse)
    assert path.read_bytes() == before

    other = result_of(spec_of(seed=9), status=status, reason="out of memory", values={})
    assert store.write_unless_worse(other) is None
    assert store.find(other.spec) == other
    better = result_of(spec_of(), shadows=2)
    assert store.write_unless_worse(better) is None
    assert store.find(better.spec) == better


@pytest.mark.parametrize("field", ["task", "method", "backbone"])
@pytest.mark.parametrize(
    "name", ["..", "../x", "/etc", "", ".hidden", "a/../b", "a\\b", "a\nb", "a\x00", "a" * 200]
)
def test_hostile_names_are_refused(store, field, name):
    with pytest.raises(UsageError, match=f"^{field} "):
        store.path(spec_of(**{field: name}))


def test_load_all_is_in_path_order_and_by_task(store):
    specs = [spec_of(task=task, seed=seed) for task in ("b", "a") for seed in (2, 1)]
    for spec in specs:
        store.write(result_of(spec))
    results, unreadable = store.load_all()
    assert [(result.spec.task, result.spec.seed) for result in results] == [
        ("a", 1),
        ("a", 2),
        ("b", 1),
        ("b", 2),
    ]
    assert unreadable == []
    assert [result.spec.seed for result in store.load_all("b")[0]] == [1, 2]
    assert store.load_all("absent") == ([], [])
    with pytest.raises(UsageError):
        store.load_all("..")


def test_load_all_of_a_missing_folder_is_empty(tmp_path):
    assert ResultsStore(tmp_path / "none").load_all() == ([], [])


def test_load_all_ignores_temporary_and_other_files(store):
    path = store.write(result_of(spec_of()))
    for name in (".tmp-12-ab", ".tmp-12-ab.json", "README.md", ".gitkeep"):
        (path.parent / name).write_text("{half")
    results, unreadable = store.load_all()
    assert len(results) == 1
    assert unreadable == []


DAMAGE = {
    "half": (lambda path: path.write_text(path.read_text()[:100]), "not valid JSON: "),
    "binary": (lambda path: path.write_bytes(b"\xff\xfe"), "not valid JSON: "),
    "list": (lambda path: path.write_text("[]"), "not a JSON object"),
    "newer": (lambda path: edit(path, schema_version=2), "schema_version is 2, this mmulbench reads 1"),
    "no version": (lambda path: path.write_text("{}"), "schema_version is None, this mmulbench reads 1"),
    "edited spec": (
        lambda path: edit(path, spec=spec_of(seed=9).model_dump()),
        f"run_id {spec_of().run_id} is not that of its specification, {spec_of(seed=9).run_id}",
    ),
    "unknown field": (lambda path: edit(path, extra=1), "extra: Extra inputs are not permitted"),
    "two faults": (lambda path: edit(path, status="fine", extra=1), "(and 1 more)"),
    "not finite": (
        lambda path: path.write_text(path.read_text().replace("0.30000000000000004", "NaN")),
        "values.test.value: ",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_invalid_record_is_named_with_its_reason(tmp_path, store, case):
    damage, reason = DAMAGE[case]
    good = store.write(result_of(spec_of(seed=1)))
    path = store.write(result_of(spec_of()))
    damage(path)

    results, (unreadable,) = store.load_all()
    assert results == [read_record(good)]
    assert unreadable.path == path
    assert reason in unreadable.reason
    assert "\n" not in unreadable.reason

    with pytest.raises(MmulbenchError) as error:
        read_record(path)
    assert str(path) in str(error.value)
    assert unreadable.reason in str(error.value)
    assert error.value.exit_code == 1

    lines: list[str] = []
    there, before = ResultsStore(tmp_path, lines.append), path.read_bytes()
    if case == "newer":
        for refused in (lambda: there.find(spec_of()), lambda: there.write(result_of(spec_of()))):
            with pytest.raises(MmulbenchError, match="is not overwritten: move it away, or choose"):
                refused()
        assert path.read_bytes() == before
        return
    assert there.find(spec_of()) is None
    assert lines == [f"record {path} cannot be used ({unreadable.reason}): taken as absent"]
    for number in ("", "1"):
        there.write(result_of(spec_of()))
        kept = path.with_name(f"{path.name}.damaged{number}")
        assert lines[-1] == f"the damaged file is kept as {kept}"
        assert kept.read_bytes() == before
        path.write_bytes(before)


def test_copy_out_of_place_is_not_counted_twice(store):
    path = store.write(result_of(spec_of()))
    copy = path.with_name("copy.json")
    copy.write_text(path.read_text())
    results, (unreadable,) = store.load_all()
    assert len(results) == 1
    assert unreadable.path == copy
    assert unreadable.reason == f"it is the record that belongs at {path}"
    assert read_record(copy) == results[0]


def test_record_with_a_hostile_name_inside_is_unreadable(store):
    path = store.path(spec_of())
    path.parent.mkdir(parents=True)
    path.write_text(result_of(spec_of(task="../up")).model_dump_json())
    results, (unreadable,) = store.load_all()
    assert results == []
    assert "'../up' cannot name a results folder" in unreadable.reason


def test_a_record_that_may_not_be_read_is_not_overwritten(store, monkeypatch):
    path = store.write(result_of(spec_of()))

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    for refused in (lambda: store.find(spec_of()), lambda: store.write(result_of(spec_of()))):
        with pytest.raises(MmulbenchError, match=r"\(Permission denied\) and is not overwritten"):
            refused()
    assert path.exists()


def test_missing_record_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"there is no record .*none\.json"):
        read_record(tmp_path / "none.json")


def test_folder_in_place_of_a_record(tmp_path):
    with pytest.raises(MmulbenchError, match="Is a directory"):
        read_record(tmp_path)


def test_wrong_run_id_is_not_written(store):
    with pytest.raises(ValueError, match="run_id"):
        store.write(result_of(spec_of(), run_id="0" * 12))
    assert store.load_all() == ([], [])


def test_unwritable_folder_is_one_line(tmp_path):
    (tmp_path / "flickr30k").write_text("a file")
    with pytest.raises(MmulbenchError, match=r"^cannot write .* choose another folder with --results-dir$"):
        ResultsStore(tmp_path).write(result_of(spec_of()))


def test_a_place_for_a_record_is_demanded_before_the_work(tmp_path, store):
    store.demand_place(spec_of())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(MmulbenchError, match="File name too long; choose another folder with --results-dir"):
        store.demand_place(spec_of(seed=10**250))
    (tmp_path / "other").write_text("a file")
    with pytest.raises(MmulbenchError, match=r"^cannot use the results folder .* with --results-dir$"):
        store.demand_place(spec_of().model_copy(update={"task": "other"}))


def test_scores_by_unit_are_written_replaced_and_removed_with_their_record(store):
    first, second = b"scores", b"other scores"
    path = store.write(result_of(spec_of(), units=digest_of(first)), first)
    assert unit_file(path).read_bytes() == first
    found = store.find(spec_of())
    store.write(found.model_copy(update={"command": "another"}))  # the record alone: its scores stay
    assert unit_file(path).read_bytes() == first
    store.write(result_of(spec_of(), units=digest_of(second)), second)
    assert unit_file(path).read_bytes() == second
    store.write(result_of(spec_of()))
    assert not unit_file(path).exists() and store.find(spec_of()).units is None


def test_scores_by_unit_of_a_done_record_stay_beside_it(store):
    path = store.write(result_of(spec_of(), units=digest_of(b"scores")), b"scores")
    kept = store.write_unless_worse(result_of(spec_of(), status="failed", reason="x", values={}))
    assert kept == store.find(spec_of()) and unit_file(path).read_bytes() == b"scores"


def test_a_record_that_does_not_name_its_scores_is_a_bug(store):
    with pytest.raises(ValueError, match="does not name its scores by unit"):
        store.write(result_of(spec_of(), units=digest_of(b"scores")), b"others")
    assert store.find(spec_of()) is None


def test_scores_by_unit_are_no_record(store):
    store.write(result_of(spec_of(), units=digest_of(b"scores")), b"scores")
    records, unreadable = store.load_all()
    assert len(records) == 1 and not unreadable


def test_the_digest_of_scores_is_a_digest():
    with pytest.raises(ValidationError, match="units"):
        result_of(spec_of(), units="../../elsewhere")


def test_each_yields_records_and_what_is_none_in_the_order_of_paths(tmp_path, store):
    for seed in (2, 1):
        store.write(result_of(spec_of(seed=seed)))
    (tmp_path / "flickr30k" / "broken.json").write_text("{")
    found = list(store.each())
    assert [type(one).__name__ for one in found] == ["Unreadable", "RunResult", "RunResult"]
    assert [one.spec.seed for one in found[1:]] == [1, 2]
    assert [store.path_of(one) for one in found[1:]] == [store.path(one.spec) for one in found[1:]]
