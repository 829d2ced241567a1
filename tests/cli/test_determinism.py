"""The same specification gives the same numbers: in another process, another order, beside other seeds."""

from __future__ import annotations

from helpers import ONE_EPOCH, TINY, Bench, numbers


def test_a_fresh_process_with_a_cache_of_its_own_gives_identical_values(tmp_path):
    words = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "--json"]
    fork = Bench(tmp_path / "first").run(*words)  # the server's strings have other hashes
    fresh = Bench(tmp_path / "second").fresh(*words, PYTHONHASHSEED="0")
    assert (fork.code, fresh.code) == (0, 0), fork.err + fresh.err
    first, second = *fork.records, *fresh.records
    assert first.spec.backbone == "albef:packaged"
    assert first.spec == second.spec
    assert first.started != second.started
    assert first.values
    assert first.histograms
    assert numbers(first) == numbers(second)
    assert first.cost.flops == second.cost.flops


def test_neither_the_order_of_methods_nor_another_seed_before_changes_a_number(tmp_path):
    tiny = ["run", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--json"]
    one = Bench(tmp_path / "one").run(*tiny, "-m", "mmul", "-m", "scrub")
    other = Bench(tmp_path / "other").run(*tiny, "-m", "scrub", "-m", "mmul", "--seed", "7", "--seed", "42")
    assert (one.code, other.code) == (0, 0)
    wanted = {record.spec.method: numbers(record) for record in one.records}
    found = {record.spec.method: numbers(record) for record in other.records if record.spec.seed == 42}
    assert list(wanted) == ["mmul", "scrub"]
    assert found == wanted
    seven = {record.spec.method: numbers(record) for record in other.records if record.spec.seed == 7}
    assert all(seven[method] != wanted[method] for method in wanted)
