from __future__ import annotations

import torch
from safetensors import safe_open

from mmulbench.exports.weight_files import digest_of, rest_of, write_weights


def test_names_types_shapes_and_values_count():
    base = {"a": torch.arange(4.0), "b": torch.zeros(2)}
    others = [
        {"a": torch.arange(4.0)},
        {"c": base["a"], "b": base["b"]},
        {"a": base["a"].reshape(2, 2), "b": base["b"]},
        {"a": base["a"].double(), "b": base["b"]},
        {"a": base["a"] + 1, "b": base["b"]},
        {"a": base["a"], "b": -base["b"]},
    ]
    digests = {digest_of(one) for one in (base, *others)}
    assert len(digests) == 7
    assert digest_of({"b": base["b"], "a": base["a"]}) == digest_of(base)
    assert digest_of({"a": torch.arange(8.0)[::2] / 2, "b": base["b"]}) == digest_of(base)


def test_numbers_that_are_not_there_are_not_read():
    huge = torch.zeros(1).expand(10**15)
    assert digest_of({"a": huge}) != digest_of({"a": torch.zeros(1).expand(10**14)})
    assert digest_of({"a": torch.zeros(3, device="meta")})


def test_weights_say_what_they_were_trained_on(tmp_path):
    write_weights({"a": torch.ones(2)}, tmp_path / "mmulbench.safetensors", ("x", "b"))
    with safe_open(tmp_path / "mmulbench.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "mmulbench.trained_on": '["b", "x"]'}
    assert torch.equal(rest_of(tmp_path)["a"], torch.ones(2))
    assert rest_of(tmp_path / "nowhere") == {}


def test_equal_weights_make_equal_files(tmp_path):
    for number in range(6):
        write_weights({"ä": torch.ones(2), "b": torch.zeros(1)}, tmp_path / str(number), ("x",))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
