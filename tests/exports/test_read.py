"""What cannot be taken is refused in one line, and nothing in a file is run."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import clip_checkpoints
import pytest
import torch
from checkpoint_tools import Hostile, change_json
from given_models import CARD, CLASSES, GROUPS, RETRIEVAL, loud, opened
from hub_cache import COMMIT, put
from safetensors.torch import load_file, save_file

from mmulbench.errors import UsageError
from mmulbench.exports.read import open_model
from mmulbench.exports.write import write_model


def refused(source: Path | str, family: str | None = None) -> str:
    with pytest.raises(UsageError) as error:
        open_model(str(source), family).load(RETRIEVAL)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("kind", "family"),
    [("clip", "clip"), ("siglip", "clip"), ("blip", "blip"), ("vilt", "vilt"), ("albef", "albef")],
)
def test_the_family_is_found_in_the_files(kind, family, published):
    given = open_model(str(published[kind]))
    assert given.backbone.name == family
    assert given.load(RETRIEVAL).paths
    assert open_model(str(published[kind]), family).digest == given.digest
    others = {"clip", "blip", "vilt", "albef"} - {family}
    for other in others:
        assert f"of the family {family}, not {other}" in refused(published[kind], other)


def test_a_place_and_its_digest_give_it_again(own):
    given = open_model(str(own))
    assert given.argument == f"{own}@{given.digest[:12]}"
    assert open_model(given.argument).digest == given.digest
    assert f"have the digest {given.digest[:12]}, not 0123456789ab" in refused(f"{own}@0123456789ab")


def test_the_digest_is_that_of_the_weights_wherever_they_lie(published, tmp_path):
    """One file, shards, or what torch saves: the same weights are the same model."""
    model = clip_checkpoints.make("clip")
    clip_checkpoints.write(tmp_path / "shards", model, max_shard_size="40KB")
    clip_checkpoints.write_pickled(tmp_path / "pickled", model, model.state_dict())
    places = (published["clip"], tmp_path / "shards", tmp_path / "pickled")
    assert len({open_model(str(place)).digest for place in places}) == 1


def test_what_is_not_there_is_said_with_what_is_readable(tmp_path):
    assert "no-such-model is not there: readable are a folder" in refused(tmp_path / "no-such-model")
    assert "holds neither mmulbench.json nor config.json: readable are" in refused(tmp_path)


def test_a_model_of_no_family_is_refused(own):
    (own / "mmulbench.json").unlink()
    change_json(own / "config.json", model_type="bert")
    assert "has model_type 'bert': readable are" in refused(own)


def test_a_part_of_a_folder_is_not_taken_for_albef(own):
    assert f"is a part of the folder with mmulbench.json: give {own}" in refused(own / "model.safetensors")


def test_a_model_for_something_else_is_refused(kept):
    given = open_model(str(kept))
    with pytest.raises(UsageError, match="a model for retrieval, but 3 classes is asked for"):
        given.load(CLASSES)


@pytest.mark.parametrize("shape", [CLASSES, GROUPS], ids=["classes", "groups"])
@pytest.mark.parametrize("kind", ["clip", "siglip", "blip", "vilt"])
def test_a_head_that_others_lack_is_never_made_up(kind, shape, published):
    with pytest.raises(UsageError, match=r"lacks .*(classes|output).*: it holds no model for 3 classes"):
        open_model(str(published[kind])).load(shape)


@pytest.mark.parametrize(
    ("kind", "head"), [("blip", "itm_head"), ("blip", "text_proj"), ("vilt", "rank_output")]
)
def test_a_path_whose_weights_are_missing_is_refused(kind, head, published, tmp_path):
    folder = Path(shutil.copytree(published[kind], tmp_path / kind))
    tensors = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if not name.startswith(head)}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    assert f"lack 2 parameters of {'Blip' if kind == 'blip' else 'Vilt'}" in refused(folder)
    assert f"such as {head}.bias" in refused(folder)


def test_weights_that_were_changed_since_are_refused(own):
    tensors = load_file(own / "model.safetensors")
    save_file({**tensors, "logit_scale": torch.tensor(1.0)}, own / "model.safetensors", {"format": "pt"})
    assert "are not those that mmulbench.json speaks of" in refused(own)


def test_weights_of_another_size_are_refused(own, published):
    (own / "mmulbench.json").unlink()
    shutil.copy(published["clip"] / "model.safetensors", own)
    assert "of CLIPModel, such as" in refused(own)


def test_a_truncated_file_is_refused(own):
    path = own / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "model.safetensors is damaged" in refused(own)


def test_the_rest_may_be_missing_or_damaged_neither(tmp_path):
    backbone = opened("clip:tiny")
    write_model(loud(backbone, CLASSES), backbone, CLASSES, tmp_path / "one", CARD)
    path = tmp_path / "one" / "mmulbench.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-4])
    assert "mmulbench.safetensors is damaged" in refused(tmp_path / "one")
    path.unlink()
    assert "are not those that mmulbench.json speaks of" in refused(tmp_path / "one")


@pytest.mark.parametrize("layout", ["folder", "file"])
def test_pickled_code_is_never_run(layout, published, tmp_path):
    place = tmp_path / "made by code"
    hostile = pickle.dumps({"model": Hostile(place)}, protocol=2)
    if layout == "folder":
        source = Path(shutil.copytree(published["clip"], tmp_path / "clip"))
        (source / "model.safetensors").unlink()
        (source / "pytorch_model.bin").write_bytes(hostile)
    else:
        source = tmp_path / "albef.pth"
        source.write_bytes(hostile)
    assert "refused" in refused(source)
    assert not place.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "mmulbench.json", "tokenizer.json"])
def test_a_file_that_leads_out_of_the_folder_is_refused(name, own, tmp_path):
    (own / name).rename(tmp_path / "elsewhere")
    (own / name).symlink_to(tmp_path / "elsewhere")
    assert f"{name} leads out of its folder" in refused(own)


def test_a_hubs_cache_leads_to_its_own_store(kept, tmp_path):
    snapshot, store = tmp_path / "models--a--b" / "snapshots" / "0a1b", tmp_path / "models--a--b" / "blobs"
    snapshot.mkdir(parents=True)
    store.mkdir()
    for number, path in enumerate(kept.iterdir()):
        shutil.copy(path, store / str(number))
        (snapshot / path.name).symlink_to(os.path.relpath(store / str(number), snapshot))
    assert open_model(str(snapshot)).load(RETRIEVAL).paths


def test_shards_that_lead_out_of_the_folder_are_refused(published, tmp_path):
    folder = Path(shutil.copytree(published["clip"], tmp_path / "clip"))
    (folder / "model.safetensors").rename(tmp_path / "out.safetensors")
    index = '{"weight_map": {"logit_scale": "../out.safetensors"}}'
    (folder / "model.safetensors.index.json").write_text(index)
    assert "'../out.safetensors' is no file of this folder: refused" in refused(folder)


class TestOnAHub:
    """A model in the local cache of a hub, by its name."""

    def test_it_is_read_by_its_name(self, published, tmp_path):
        put(tmp_path / "hub", "some-one/clip", published["clip"])
        found, local = open_model("some-one/clip"), open_model(str(published["clip"]))
        assert found.digest == local.digest and found.load(RETRIEVAL).paths
        digest = local.digest[:12]
        assert found.label == f"some-one/clip@{digest}"
        assert found.revision == f"some-one/clip@{COMMIT}" and local.revision == ""
        assert found.argument == f"some-one/clip@{COMMIT}@{digest}"
        assert open_model(found.argument).label == found.label
        assert found.start().full_name.startswith("clip:some-one/clip@")
        assert found.start().argument.startswith(f"clip:some-one/clip@{COMMIT}@")
        with pytest.raises(UsageError, match=f"have the digest {digest}, not 0123456789ab"):
            open_model("some-one/clip@main@0123456789ab")

    def test_an_export_is_read_by_its_name(self, kept, tmp_path):
        put(tmp_path / "hub", "some-one/export", kept, COMMIT, "v1")
        found = open_model("some-one/export@v1")
        assert found.facts is not None and found.digest == open_model(str(kept)).digest
        assert found.load(RETRIEVAL).paths

    def test_a_folder_of_that_name_wins(self, published, kept, tmp_path, monkeypatch):
        put(tmp_path / "hub", "some-one/clip", published["clip"])
        shutil.copytree(kept, tmp_path / "some-one" / "clip")
        monkeypatch.chdir(tmp_path)
        found = open_model("some-one/clip")
        assert found.revision == "" and found.facts is not None
        assert open_model("some-one/clip@main").revision == f"some-one/clip@{COMMIT}"

    def test_none_is_told_in_a_line(self):
        text = refused("some-one/nothing")
        assert text.startswith(
            "the model some-one/nothing is neither a folder here nor can it be fetched from"
        )
        assert "it is not in the cache" in text

    def test_its_files_stay_in_the_cache(self, published, tmp_path):
        snapshot = put(tmp_path / "hub", "some-one/clip", published["clip"])
        (tmp_path / "out.json").write_bytes((snapshot / "config.json").read_bytes())
        (snapshot / "config.json").unlink()
        (snapshot / "config.json").symlink_to(tmp_path / "out.json")
        assert "config.json leads out of its folder" in refused("some-one/clip")

    def test_pickled_code_is_never_run(self, published, tmp_path):
        place, folder = tmp_path / "made by code", Path(shutil.copytree(published["clip"], tmp_path / "clip"))
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"model": Hostile(place)}, protocol=2))
        put(tmp_path / "hub", "some-one/clip", folder)
        assert "refused" in refused("some-one/clip")
        assert not place.exists()
