"""What the two sides of a comparison name, and in which table both are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from forged import RESULTS
from planted_results import Planted, World

from mmulbench.api.sides import Where, find_sides, references_of
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.store import ResultsStore

SMALL = World(shares=True, seeds=(42,), units=8, spec={"forget_size": 8})


@pytest.fixture
def results(tmp_path):
    """Records of two methods, one of them tuned, with other settings and by its own, of two tables."""
    store, world = ResultsStore(tmp_path), World(shares=True, seeds=(21, 42))
    for record in world.records({"mmul": Planted(), "scrub": Planted()}, draws=1):
        store.write(record)
        if record.spec.method == "mmul":
            store.write(world.tuned(record, lr=0.5))
            spec = record.spec.model_copy(update={"config": {"lr": 0.25, "trainable": "all"}})
            command = f"{record.command} --set lr=0.25"
            update = {"spec": spec, "run_id": spec.run_id, "command": command}
            store.write(record.model_copy(update=update))
    for record in SMALL.records({"scrub": Planted()}, draws=0):
        store.write(record)
    return tmp_path


def sides(results, first, second, **where):
    return find_sides(first, second, Where(results, **where))


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("mmul", {"lr": 0.5}),
        ("mmul@tuned", {"lr": 0.5}),
        ("mmul@default", {}),
        ("mmul@lr=0.250", {"lr": 0.25, "trainable": "all"}),
        ("mmul@trainable=all,lr=.25", {"lr": 0.25, "trainable": "all"}),
    ],
)
def test_a_method_s_variant_is_named_by_its_settings(results, text, config):
    found = sides(results, text, "scrub", task="emoji", forget_size=68)
    assert [one.spec.config for one in found.first.records] == [config] * 2
    assert found.first.done_seeds == found.second.done_seeds == (21, 42)
    assert {found.files[one.run_id].stem for one in found.first.records} == {
        f"68-{one.spec.seed}-{one.run_id}" for one in found.first.records
    }


def test_ids_paths_and_names_are_taken_as_show_takes_them(results):
    path = next(path for path in sorted(results.glob("emoji/*/scrub/68-42-*.json")))
    for text in (str(path), path.stem.rpartition("-")[2], path.stem.rpartition("-")[2][:6]):
        found = sides(results, text, "mmul")
        assert [one.run_id for one in found.first.records] == [path.stem.rpartition("-")[2]]
    both = sides(results, "emoji/scrub", "retrain", forget_size=68)
    assert both.first.done_seeds == (21, 42)


def test_without_a_backbone_it_is_the_tasks_own(tmp_path):
    for backbone in ("clip-mini", "albef-packaged"):
        for method in ("mmul", "scrub"):
            place = Path("emoji") / backbone / method
            shutil.copytree(RESULTS / place, tmp_path / place)
    assert sides(tmp_path, "mmul", "scrub@tuned").key.backbone == "albef:packaged"
    assert sides(tmp_path, "mmul", "scrub@tuned", backbone="clip:mini").key.backbone == "clip:mini"


def test_a_record_outside_the_results_folder_is_taken(results, tmp_path):
    path = next(results.glob("emoji/*/scrub/68-42-*.json"))
    moved = tmp_path / "elsewhere.json"
    moved.write_bytes(path.read_bytes())
    assert sides(results, str(moved), "mmul").first.done_seeds == (42,)


@pytest.mark.parametrize(
    ("first", "second", "where", "said"),
    [
        ("mmull", "scrub", {"task": "emoji"}, r"'mmull' is no record's .*did you mean mmul\?"),
        (
            "mmul@lr=9",
            "scrub",
            {},
            "mmul has no records with lr=9, but: mmul@default; mmul@lr=0.25,trainable=all; mmul@tuned$",
        ),
        (
            "mmul",
            "scrub",
            {"task": "flags"},
            "mmul has other records than those that are asked for: --task emoji",
        ),
        ("scrub", "retrain", {}, "both in 2 tables: --forget-size 68 or 8"),
        ("mmul", "scrub", {"forget_size": 8}, "mmul has other records than .* --forget-size 68"),
        ("mmul", "scrub", {"backbone": "clip:tiny"}, "mmul has other .*--backbone albef:packaged"),
        ("emoji", "scrub", {"forget_size": 68}, "emoji is of .* variants, name one"),
    ],
)
def test_what_names_nothing_or_too_much_is_refused(results, first, second, where, said):
    with pytest.raises(UsageError, match=said):
        sides(results, first, second, **where)


def test_sides_of_two_tables_are_refused_by_what_differs(results):
    (path,) = results.glob("emoji/*/scrub/8-42-*.json")
    with pytest.raises(UsageError, match="are of other forget sets: 8 units and 68"):
        sides(results, str(path), "mmul")


def test_several_variants_of_which_none_is_tuned_are_listed(results):
    for path in results.glob("emoji/*/mmul/*.json"):
        if json.loads(path.read_bytes())["tuning"]:
            path.unlink()
    with pytest.raises(
        UsageError, match=r"mmul is of 2 variants, name one: mmul@default; mmul@lr=0.25,trainable=all"
    ):
        sides(results, "mmul", "scrub", forget_size=68)


def test_a_record_that_does_not_hold_is_refused_with_its_reason(results):
    path = next(results.glob("emoji/*/scrub/68-42-*.json"))
    fields = json.loads(path.read_bytes())
    fields["values"]["test"]["value"] = 7.0
    path.write_text(json.dumps(fields))
    with pytest.raises(
        MmulbenchError, match=rf"the record .*{path.name} does not hold: values.test"
    ) as error:
        sides(results, "mmul", "scrub", forget_size=68)
    assert "\n" not in str(error.value)
    path.write_text("[")
    with pytest.raises(MmulbenchError, match="not valid JSON"):
        sides(results, "mmul", "scrub", forget_size=68)


def test_references_are_those_of_the_table(results):
    where = Where(results)
    key = find_sides("mmul", "scrub", where).key
    group = references_of(key, where)
    assert {row.method for row in group.rows} == {"retrain", "retrain_again"}
    assert {one.spec.forget_size for row in group.rows for one in row.records} == {68}
    for path in results.glob("emoji/*/retrain*/68-*.json"):
        path.write_text("[")
    assert references_of(key, where) is None
