"""Two levels of names become one and again two."""

from __future__ import annotations

from mmulbench.cache.nested_names import flatten, unflatten


def test_names_are_joined_by_a_slash_and_split_at_the_first_one():
    nested = {"a": {"x": 1, "y/z": 2}, "b": {"x": 3}}
    flat = {"a/x": 1, "a/y/z": 2, "b/x": 3}
    assert flatten(nested) == flat
    assert unflatten(flat) == nested


def test_deeper_mappings_are_flattened_from_the_inside_out():
    deep = {"scores": {"matching": {"test": 1, "forget": 2}}}
    flat = flatten({kind: flatten(by_path) for kind, by_path in deep.items()})
    assert flat == {"scores/matching/test": 1, "scores/matching/forget": 2}
    assert {kind: unflatten(by_path) for kind, by_path in unflatten(flat).items()} == deep
