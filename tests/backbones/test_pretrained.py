"""What every backbone on a checkpoint shares, seen through BLIP."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import blip_checkpoints
import pytest
import torch
from checkpoint_tools import change_json, everything, load, pickled, spoil_weight
from safetensors.torch import load_file, save_file

from mmulbench.backbones._pretrained.foreign_files import without_wrappers
from mmulbench.backbones._pretrained.transformers_checkpoint import Checkpoint, open_checkpoint
from mmulbench.core.registry import TASKS
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.schema import RunSpec
from mmulbench.records.store import ResultsStore
from mmulbench.runs.backbones import find_backbone
from mmulbench.seeds import torch_seeded


def spec_of(backbone: str) -> RunSpec:
    return RunSpec(
        task="emoji", backbone=backbone, method="mmul", forget_size=3, seed=0, data_fingerprint="x"
    )


def test_a_record_carries_name_and_content_wherever_the_checkpoint_lies(kept_blip, own_blip, tmp_path):
    backbone = load(kept_blip)
    assert backbone.full_name == load(own_blip).full_name == f"blip:blip-tiny@{backbone.checkpoint.digest}"
    assert backbone.argument == f"blip:{kept_blip}@{backbone.checkpoint.digest}"
    store = ResultsStore(tmp_path)
    path = store.path(spec_of(backbone.full_name))
    assert path.parent.parent == tmp_path / "emoji" / f"blip-blip-tiny@{backbone.checkpoint.digest}"


def spoil_tokeniser(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text().replace('"heart"', '"hearts"'))


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_weight,
        spoil_tokeniser,
        lambda folder: change_json(folder / "preprocessor_config.json", image_mean=[0.1, 0.2, 0.3]),
        lambda folder: change_json(folder / "config.json", initializer_factor=2.0),
    ],
    ids=["weights", "tokeniser", "image settings", "configuration"],
)
def test_other_content_is_another_backbone(kept_blip, own_blip, spoil):
    spoil(own_blip)
    assert load(own_blip).full_name != load(kept_blip).full_name
    assert load(own_blip).identity != load(kept_blip).identity


def test_any_shard_is_part_of_the_digest(tmp_path):
    model = blip_checkpoints.make()
    folders = []
    for name in ("one", "other"):
        folders.append(blip_checkpoints.write(tmp_path / name, model, max_shard_size="40KB"))
        model.itm_head.bias.data += 1
    assert load(folders[0]).checkpoint.digest != load(folders[1]).checkpoint.digest


def test_a_readme_is_not_part_of_the_digest(kept_blip, own_blip):
    (own_blip / "README.md").write_text("# BLIP")
    assert load(own_blip).identity == load(kept_blip).identity


def test_a_digest_demands_that_content(kept_blip, own_blip):
    argument = load(own_blip).argument.removeprefix("blip:")
    assert load(argument).argument == f"blip:{argument}"
    spoil_weight(own_blip)
    with pytest.raises(UsageError, match=rf"has the digest {load(own_blip).checkpoint.digest}, not "):
        load(argument)


@pytest.mark.parametrize(
    ("place", "label"),
    [
        ("models/blip-tiny", "blip-tiny"),  # looks like the name of a hub's
        ("with space", "with_space"),
        (".hidden", "hidden"),
        ("user@host/blip@tiny", "blip_tiny"),
        ("long" * 50, ("long" * 50)[:80]),
        ("Größe", "Gr__e"),
    ],
)
def test_folders_of_any_name_go_into_the_store(own_blip, tmp_path, monkeypatch, place, label):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(own_blip, place)
    backbone = load(place)
    assert backbone.full_name == f"blip:{label}@{backbone.checkpoint.digest}"
    ResultsStore(tmp_path).path(spec_of(backbone.full_name))
    again = find_backbone(backbone.argument, TASKS.get("emoji")())
    assert again.identity == backbone.identity


def test_a_folder_beside_me_is_not_taken_for_a_variant(own_blip, monkeypatch):
    monkeypatch.chdir(own_blip.parent)
    task = TASKS.get("emoji")()
    backbone = find_backbone("blip:blip-tiny", task)
    assert find_backbone(backbone.argument, task).argument == backbone.argument
    assert backbone.argument.startswith("blip:./blip-tiny@")


def test_a_home_folder_is_found(own_blip, monkeypatch):
    monkeypatch.setenv("HOME", str(own_blip.parent))
    assert load("~/blip-tiny").identity == load(own_blip).identity


def test_a_repository_in_the_local_hub_cache(own_blip, tmp_path, monkeypatch):
    """The layout in which a hub's snapshot lies in the cache: nothing is fetched."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--some-one--blip-small"
    shutil.copytree(own_blip, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.chdir(tmp_path)
    backbone = load("some-one/blip-small")
    digest = load(own_blip).checkpoint.digest
    assert backbone.full_name == f"blip:some-one/blip-small@{digest}"
    assert backbone.argument == f"blip:some-one/blip-small@{commit}@{digest}"
    assert load(backbone.argument.removeprefix("blip:")).full_name == backbone.full_name
    path = ResultsStore(tmp_path).path(spec_of(backbone.full_name))
    assert path.parent.parent.name == f"blip-some-one--blip-small@{digest}"


def test_loading_leaves_torchs_generator_alone_and_gives_float32_that_trains(tmp_path):
    model = blip_checkpoints.make()
    folder = blip_checkpoints.write(tmp_path / "half", model.half())
    found = load(folder).checkpoint
    assert found.config["dtype"] == "float16"
    from transformers import BlipForImageTextRetrieval

    with torch_seeded(0, "x"):
        expected = torch.rand(1)
    with torch_seeded(0, "x"):
        loaded: Any = found.load(BlipForImageTextRetrieval)
        assert torch.equal(torch.rand(1), expected)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert loaded.training and all(parameter.requires_grad for parameter in loaded.parameters())
    assert torch.equal(loaded.itm_head.weight, model.itm_head.weight.float())


def test_parameters_of_another_shape_are_new_only_where_they_may_be(own_blip, tmp_path):
    model = blip_checkpoints.make()
    tensors = {**model.state_dict(), "itm_head.weight": torch.zeros(3, 32), "itm_head.bias": torch.zeros(3)}
    found = load(blip_checkpoints.write_pickled(tmp_path / "three", tensors)).checkpoint
    from transformers import BlipForImageTextRetrieval

    with pytest.raises(MmulbenchError, match=r"have other shapes for 2 parameters .* such as itm_head\.bias"):
        found.load(BlipForImageTextRetrieval)
    with torch_seeded(0, "x"):
        loaded: Any = found.load(BlipForImageTextRetrieval, new=("itm_head",))
    assert loaded.itm_head.weight.shape == (2, 32) and loaded.itm_head.weight.std() > 0
    assert torch.equal(loaded.text_proj.weight, model.text_proj.weight)


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("form", ["safetensors", "pickled"])
def test_names_that_torchs_wrappers_lengthened_are_read(own_blip, kept_blip, wrapper, form):
    tensors = {f"{wrapper}{name}": value for name, value in load_file(own_blip / "model.safetensors").items()}
    if form == "pickled":
        pickled(own_blip, tensors)
    else:
        save_file(tensors, own_blip / "model.safetensors")
    found, wanted = load(own_blip).build().state_dict(), load(kept_blip).build().state_dict()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


def test_names_of_which_only_some_are_longer_are_left_alone():
    assert without_wrappers({"module.a": 1, "b": 2}) == {"module.a": 1, "b": 2}
    assert without_wrappers({}) == {}


def test_image_settings_beside_a_tokenisers(own_blip):
    """As a processor lays them out since transformers 5."""
    settings = json.loads((own_blip / "preprocessor_config.json").read_text())
    (own_blip / "preprocessor_config.json").unlink()
    assert load(own_blip).config.mean != tuple(blip_checkpoints.MEAN), (
        "the published model's, where there are none"
    )
    (own_blip / "processor_config.json").write_text(json.dumps({"image_processor": settings}))
    assert load(own_blip).config.mean == tuple(blip_checkpoints.MEAN)
    assert load(own_blip).config.std == tuple(blip_checkpoints.STD)


def test_nothing_is_said_while_loading(kept_blip, capfd):
    everything(kept_blip)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_listing_and_finding_need_no_transformers(kept_blip):
    """Only a checkpoint, or building a model, pays for importing it."""
    code = (
        "import sys; from mmulbench.core.registry import BACKBONES; BACKBONES.get('blip')('tiny').identity;"
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_checkpoint_is_opened_by_name_of_the_family(kept_blip):
    found = open_checkpoint(str(kept_blip), "blip")
    assert isinstance(found, Checkpoint) and found.folder == kept_blip
    with pytest.raises(UsageError, match="this backbone reads vilt or clip"):
        found.check_type("vilt", "clip")
