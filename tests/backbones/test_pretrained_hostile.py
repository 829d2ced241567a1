"""Damaged and hostile checkpoints are refused in one line, and nothing in them is run."""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blip_checkpoints
import pytest
import torch
from checkpoint_tools import bare_pickle, change_json, everything, load, pickled

from mmulbench.errors import MmulbenchError, UsageError


def test_attention_code_that_a_configuration_names_is_not_fetched(own_blip):
    config = json.loads((own_blip / "config.json").read_text())
    for part in (config, config["text_config"], config["vision_config"]):
        part["attn_implementation"] = part["_attn_implementation"] = "some-one/kernels"
    (own_blip / "config.json").write_text(json.dumps(config))
    everything(own_blip)


def test_weights_elsewhere_that_a_configuration_names_are_not_read(own_blip):
    other = own_blip / "below"
    blip_checkpoints.write(other, blip_checkpoints.make(seed=1))
    change_json(own_blip / "config.json", transformers_weights="below/model.safetensors")
    bias: Any = load(own_blip).build().matching.bias
    assert torch.equal(bias, blip_checkpoints.make().itm_head.bias)


def zipped_pickle(place: Path) -> bytes:
    """What torch.save would have written, with the pickle in it replaced."""
    plain, hostile = io.BytesIO(), io.BytesIO()
    torch.save({"x": torch.zeros(2)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(hostile, "w") as target:
        for name in source.namelist():
            content = bare_pickle(place) if name.endswith("data.pkl") else source.read(name)
            target.writestr(name, content)
    return hostile.getvalue()


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "model.safetensors", "pytorch_model.bin", "vocab.txt"]
)
def test_a_git_lfs_pointer_is_named_before_anything_is_loaded(own_blip, name):
    if name == "pytorch_model.bin":
        (own_blip / "model.safetensors").unlink()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"
    (own_blip / name).write_text(pointer)
    with pytest.raises(MmulbenchError, match=f"{own_blip / name} is a Git LFS pointer.*run git lfs pull"):
        load(own_blip)


@pytest.mark.parametrize("make", [bare_pickle, zipped_pickle])
def test_pickled_code_is_refused_and_not_run(own_blip, tmp_path, make):
    trap = tmp_path / "trap"
    pickled(own_blip, make(trap))
    with pytest.raises(
        MmulbenchError, match=r"pytorch_model\.bin holds something else than tensors"
    ) as caught:
        load(own_blip).build()
    assert "weights_only" not in str(caught.value), "no advice to run it"
    assert not trap.exists()
    pickle.loads(bare_pickle(trap))  # noqa: S301 (the trap works)
    assert trap.exists()


def test_code_that_comes_with_a_checkpoint_is_not_run(own_blip, tmp_path, monkeypatch):
    trap = tmp_path / "trap"
    (own_blip / "code.py").write_text(f"import os\nos.mkdir({str(trap)!r})\n")
    auto = {"AutoTokenizer": ["code.Words", None], "AutoConfig": "code.Config", "AutoModel": "code.Model"}
    change_json(own_blip / "config.json", auto_map=auto)
    change_json(own_blip / "tokenizer_config.json", auto_map=auto, tokenizer_class="Words")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))  # what a question whether to run it would read
    try:
        everything(own_blip)
    except MmulbenchError as error:
        assert "\n" not in str(error)
    assert not trap.exists()


def cut(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


def shard(name: str | None) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        by_parameter = {"itm_head.bias": name} if name else {}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": by_parameter}))

    return spoil


def write(name: str, content: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_text(content)

    return spoil


def remove(*names: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return spoil


DAMAGE = {
    "no configuration": (remove("config.json"), "holds no config.json", UsageError),
    "configuration cut": (lambda f: cut(f / "config.json", 0.5), "cannot be read as JSON", MmulbenchError),
    "configuration too deep": (write("config.json", "[" * 200_000), "cannot be read as JSON", MmulbenchError),
    "configuration a list": (write("config.json", "[1]"), "holds no JSON object", MmulbenchError),
    "another model": (
        lambda f: change_json(f / "config.json", model_type="clip"),
        "has model_type 'clip', but this backbone reads blip",
        UsageError,
    ),
    "no model type": (write("config.json", "{}"), "has model_type None", UsageError),
    "no weights": (remove("model.safetensors"), "holds no weights: looked for model.safetensors", UsageError),
    "weights cut": (
        lambda f: cut(f / "model.safetensors", 0.9),
        "model.safetensors is damaged",
        MmulbenchError,
    ),
    "weights empty": (
        lambda f: cut(f / "model.safetensors", 0),
        "model.safetensors is damaged",
        MmulbenchError,
    ),
    "shard missing": (shard("model-1.safetensors"), "model-1.safetensors is missing, but", MmulbenchError),
    "shard outside": (shard("../x.safetensors"), "the shard '../x.safetensors' is no file", MmulbenchError),
    "shard anywhere": (shard("/x.safetensors"), "the shard '/x.safetensors' is no file", MmulbenchError),
    "shard pickled": (shard("pytorch_model.bin"), "the shard 'pytorch_model.bin' is no file", MmulbenchError),
    "no shards": (shard(None), "names no shards", MmulbenchError),
    "index of numbers": (
        lambda f: (shard(None)(f), write("model.safetensors.index.json", '{"weight_map": {"a": [1]}}')(f)),
        "is no file of this folder",
        MmulbenchError,
    ),
    "pickle cut": (lambda f: pickled(f, zipped_pickle(f)[:200]), "pytorch_model.bin", MmulbenchError),
    "a tensor alone": (
        lambda f: pickled(f, torch.zeros(3)),
        "something else than tensors by",
        MmulbenchError,
    ),
    "a training state": (
        lambda f: pickled(f, {"model": {"x": torch.zeros(3)}, "epoch": 3}),
        "something else than tensors by name",
        MmulbenchError,
    ),
    "other tensors": (lambda f: pickled(f, {"x": torch.zeros(3)}), "parameters of Blip", MmulbenchError),
    "no tokeniser": (remove("tokenizer.json"), "holds no tokeniser: looked for", UsageError),
    "tokeniser cut": (lambda f: cut(f / "tokenizer.json", 0.5), "the tokeniser in .* cannot", MmulbenchError),
    "tokeniser of another": (
        lambda f: (f / "tokenizer.json").write_text(
            (f / "tokenizer.json").read_text().replace('"heart": 7', '"heart": 999')
        ),
        "gives the id 999, but the model knows",
        MmulbenchError,
    ),
    "quantised": (
        lambda f: change_json(f / "config.json", quantization_config={"quant_method": "bitsandbytes"}),
        "config.json describes quantised weights, which are not read",
        UsageError,
    ),
    "too many layers": (
        lambda f: change_json(f / "config.json", text_config={"num_hidden_layers": 10**9}),
        "config.json asks for num_hidden_layers 1,000,000,000: at most 1,000 are built",
        UsageError,
    ),
    "image settings a word": (
        lambda f: change_json(f / "preprocessor_config.json", image_mean="grey"),
        "image_mean must be three numbers, not 'grey'",
        MmulbenchError,
    ),
    "image settings zero": (
        lambda f: change_json(f / "preprocessor_config.json", image_std=[0, 1, 1]),
        "image_std must be three",
        MmulbenchError,
    ),
}


@pytest.mark.parametrize(("spoil", "message", "kind"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_told_in_one_line(own_blip, spoil, message, kind):
    spoil(own_blip)
    with pytest.raises(MmulbenchError, match=message) as caught:
        everything(own_blip)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
