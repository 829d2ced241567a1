"""What is written is the model, bit for bit, whole or not at all."""

from __future__ import annotations

import json
import stat
import time
from dataclasses import replace

import pytest
import torch
from forks import FORKS
from given_models import CARD, CLASSES, GROUPS, RETRIEVAL, answers, loud, opened

from mmulbench.core.backbone import TaskShape
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.exports import write
from mmulbench.exports.read import open_model
from mmulbench.exports.same_inputs import same_inputs
from mmulbench.exports.write import write_model

TINY = ("clip:tiny", "clip:tiny-siglip", "blip:tiny", "vilt:tiny", "albef:tiny")
SHAPES = {"retrieval": RETRIEVAL, "classes": CLASSES, "groups": GROUPS}


def round_trip(backbone, shape, folder, seed=0):
    model = loud(backbone, shape, seed)
    digest = write_model(model, backbone, shape, folder, CARD)
    given = open_model(str(folder))
    assert given.digest == digest == json.loads((folder / "mmulbench.json").read_text())["digest"]
    assert given.label == f"{folder.name}@{digest[:12]}"
    assert same_inputs(backbone, given.backbone) == ""
    again = given.load(shape)
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    mine, theirs = answers(model, backbone, shape), answers(again, given.backbone, shape)
    assert mine.keys() == theirs.keys()
    for path, value in mine.items():
        assert torch.equal(value, theirs[path]), path
    assert mine["pooled"].std() > 0
    return given


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", TINY)
def test_variants_come_back_bit_for_bit(name, shape, tmp_path):
    given = round_trip(opened(name), shape, tmp_path / "export")
    assert given.trained_on == {"emoji-fingerprint"}


@pytest.mark.parametrize("shape", [CLASSES, GROUPS], ids=["classes", "groups"])
def test_a_graph_network_comes_back_bit_for_bit(shape, tmp_path):
    round_trip(opened("gtnn:tiny"), shape, tmp_path / "export")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", ["clip", "siglip", "blip", "vilt", "albef"])
def test_models_that_started_from_a_checkpoint_come_back_bit_for_bit(kind, shape, start, tmp_path):
    given = round_trip(start(kind), shape, tmp_path / "export")
    assert given.start() is given.backbone


@pytest.mark.parametrize("name", ["clip:tiny", "blip:tiny", "vilt:tiny"])
def test_retrieval_with_groups_comes_back_too(name, tmp_path):
    round_trip(opened(name), TaskShape(0, 2), tmp_path / "export")


def test_equal_weights_have_one_digest_and_others_another(tmp_path):
    backbone = opened("clip:tiny")
    one, same, other = (
        write_model(loud(backbone, seed=seed), backbone, RETRIEVAL, tmp_path / name, CARD)
        for name, seed in (("one", 0), ("same", 0), ("other", 1))
    )
    assert one == same != other
    again = replace(CARD, record="another")
    assert write_model(loud(backbone), backbone, RETRIEVAL, tmp_path / "again", again) == one
    names = {
        open_model(str(tmp_path / name)).backbone.full_name.partition("@")[2] for name in ("one", "again")
    }
    assert len(names) == 1, "what the start is called does not hang on the run that it came from"


@pytest.mark.parametrize("what", ["folder", "file", "link to nothing"])
def test_nothing_is_replaced(what, tmp_path):
    folder = tmp_path / "there"
    if what == "folder":
        folder.mkdir()
    elif what == "file":
        folder.write_text("mine")
    else:
        folder.symlink_to(tmp_path / "nothing")
    backbone = opened("clip:tiny")
    with pytest.raises(UsageError, match="there is there already"):
        write_model(loud(backbone), backbone, RETRIEVAL, folder, CARD)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    backbone = opened("clip:tiny")
    monkeypatch.setattr(write, "card_text", full)  # the last file
    with pytest.raises(MmulbenchError, match=r"cannot write .*new: No space left on device"):
        write_model(loud(backbone), backbone, RETRIEVAL, tmp_path / "new", CARD)
    assert not [*tmp_path.iterdir()]


def write_half(folder, said):
    """Begin to write an export, and come to nothing."""
    with write._staged(folder) as own:
        (own / "model.safetensors").write_bytes(b"half")
        said.send("begun")
        time.sleep(300)


@pytest.mark.slow
def test_what_a_killed_process_left_goes_with_the_next_export(tmp_path):
    writers = []
    for name in ("killed", "alive"):
        heard, said = FORKS.Pipe()
        writer = FORKS.Process(target=write_half, args=(tmp_path / name, said), daemon=True)
        writer.start()
        writers.append(writer)
        assert heard.poll(120) and heard.recv() == "begun"
    killed, alive = writers
    try:
        killed.kill()  # SIGKILL
        killed.join()
        assert len([*tmp_path.glob(".killed.*.tmp/model.safetensors")]) == 1
        backbone = opened("clip:tiny")
        write_model(loud(backbone), backbone, RETRIEVAL, tmp_path / "killed", CARD)
        assert not [*tmp_path.glob(".killed.*")] and (tmp_path / "killed" / "README.md").is_file()
        assert len([*tmp_path.glob(".alive.*.tmp/model.safetensors")]) == 1
    finally:
        alive.kill()
        alive.join()


def test_a_form_that_a_method_changed_is_refused(tmp_path):
    backbone = opened("albef:tiny")
    model = loud(backbone)
    model.add_module("operator", torch.nn.Linear(2, 2))
    with pytest.raises(UsageError, match=r"2 of its weights, such as operator.bias, .* has changed its form"):
        write_model(model, backbone, RETRIEVAL, tmp_path / "new", CARD)
    assert not [*tmp_path.iterdir()]


def test_all_may_read_what_the_umask_lets_them(kept):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()}
    assert len(modes) == 1 and modes.pop() & stat.S_IRGRP


def test_no_place_of_this_machine_is_in_the_files(start, published, tmp_path):
    backbone = start("clip")
    write_model(loud(backbone), backbone, RETRIEVAL, tmp_path / "new", CARD)
    for path in (tmp_path / "new").iterdir():
        assert str(published["clip"].parent).encode() not in path.read_bytes(), path.name
