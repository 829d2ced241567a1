"""Equal contents have one fingerprint, whatever the order of their keys."""

from __future__ import annotations

import hashlib

import pytest

from mmulbench.hashing import canonical_json, fingerprint


def test_canonical_json_has_sorted_keys_no_space_and_unescaped_letters():
    assert canonical_json({"b": [1, 2.5, None], "a": "Ü"}) == '{"a":"Ü","b":[1,2.5,null]}'


def test_a_fingerprint_is_the_sha_256_of_the_canonical_json():
    assert fingerprint({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
    assert fingerprint({"a": 2, "b": 1}) == fingerprint({"b": 1, "a": 2}) != fingerprint({"a": 1, "b": 2})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_what_json_has_no_form_for_is_refused(value):
    with pytest.raises((ValueError, TypeError)):
        fingerprint([value])
