from __future__ import annotations

import math
import os
import pickle
from pathlib import Path

import albef_checkpoints as made
import pytest
import torch
from albef_checkpoints import LAYER, saved, without

from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.cli.app import main
from mmulbench.errors import MmulbenchError
from mmulbench.files import sha256_of


def changed(name: str, change) -> object:
    return lambda tensors: tensors | {name: change(tensors[name])}


WORDS = "text_encoder.embeddings.word_embeddings.weight"
POSITIONS = "visual_encoder.pos_embed"
CROSS = f"{LAYER}.3.crossattention.self.key.weight"
FIRST_CROSS = f"{LAYER}.{made.TEXT_LAYERS}.crossattention.self.key.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: {}, "lacks visual_encoder.patch_embed.proj.weight"),
        (lambda t: without(t, "visual_encoder.cls_token"), "lacks visual_encoder.cls_token"),
        (lambda t: without(t, "visual_encoder.blocks."), "lacks visual_encoder.blocks.0."),
        (lambda t: without(t, "visual_encoder.blocks.0."), "lacks visual_encoder.blocks.0."),
        (
            lambda t: without(t, "visual_encoder.blocks.1.mlp.fc2.bias"),
            "lacks visual_encoder.blocks.1.mlp.fc2.bias",
        ),
        (lambda t: without(t, WORDS), f"lacks {WORDS}"),
        (lambda t: without(t, f"{LAYER}.1."), f"lacks {LAYER}.1."),
        (lambda t: without(t, CROSS), f"lacks {CROSS}"),
        (lambda t: without(t, FIRST_CROSS), f"lacks {FIRST_CROSS}"),
        (lambda t: {k: v for k, v in t.items() if "crossattention" not in k}, f"lacks {LAYER}.4.crossattent"),
        (lambda t: without(t, "itm_head.bias"), "lacks itm_head.bias"),
        (changed(WORDS, lambda v: v[:100]), f"{WORDS} has the shape (100, 64), not (30522, 64)"),
        (changed(CROSS, lambda v: v[:, :32]), f"{CROSS} has the shape (64, 32), not (64, 64)"),
        (changed("itm_head.weight", lambda v: v[:1]), "itm_head.weight has the shape (1, 64), not (2, 64)"),
        (changed(POSITIONS, lambda v: v[:, :4]), f"{POSITIONS} has the shape (1, 4, 64), not (1, 1 + a squ"),
        (changed(POSITIONS, lambda v: v[:, :1]), f"{POSITIONS} has the shape (1, 1, 64), not (1, 1 + a squ"),
        (changed(POSITIONS, lambda v: v[..., :40]), f"{POSITIONS} has the width 40, no multiple of 64"),
        (changed(POSITIONS, lambda v: v[..., :0]), f"{POSITIONS} has the shape (1, 5, 0)"),
        (changed(POSITIONS, lambda v: v[0]), f"{POSITIONS} has the shape (5, 64), not one of 3 dimensions"),
        (
            changed("text_encoder.embeddings.position_embeddings.weight", lambda v: v[:20]),
            "position_embeddings.weight has the shape (20, 64), not (30, 64)",
        ),
        (changed("temp", lambda v: -v), "temp must be a positive number"),
        (changed("temp", lambda v: v * math.nan), "temp must be a positive number"),
        (changed("temp", lambda v: v[None]), "temp has the shape (1,)"),
        (changed("vision_proj.weight", lambda v: "x"), "vision_proj.weight is no tensor of real numbers"),
        (changed("itm_head.bias", lambda v: v.long()), "itm_head.bias is no tensor of real numbers"),
        (changed("itm_head.weight", lambda v: v.to_sparse()), "itm_head.weight is no tensor of real numbers"),
        (changed(CROSS, lambda v: v.to(torch.float8_e4m3fn)), f"{CROSS} is no tensor of real numbers of 16"),
        (
            changed("visual_encoder.cls_token", lambda v: v.byte().view(torch.float8_e8m0fnu)),
            "visual_encoder.cls_token is no tensor of real numbers of 16 bits or more",
        ),
        (
            changed(POSITIONS, lambda v: v[:, :1].expand(1, 1 + 40_000**2, 64)),
            f"the numbers of {POSITIONS} are not in the file",
        ),
        (changed(WORDS, lambda v: v.to("meta")), f"the numbers of {WORDS} are not in the file"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, small_albef, change, message):
    path = saved(tmp_path, change(small_albef))
    with pytest.raises(MmulbenchError) as caught:
        AlbefBackbone.from_checkpoint(str(path))
    assert caught.value.exit_code == 1
    assert str(caught.value).startswith(str(path)) and message in str(caught.value)
    assert "\n" not in str(caught.value)


def run(backbone: str, capsys) -> tuple[int, str]:
    code = main(["run", "-m", "mmul", "-t", "emoji", "-b", backbone, "--set", "task.limit=40", "-q"])
    done = capsys.readouterr()
    assert done.out == "" and done.err.count("\n") == 1, done
    return code, done.err


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("MMULBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MMULBENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("albef:/nowhere/ALBEF.pth", "/nowhere/ALBEF.pth is not there: --backbone albef:PATH takes a file"),
        ("albef:/nowhere/ALBEF.pth@0123456789ab", "/nowhere/ALBEF.pth is not there"),
        ("albef:salesforce/ALBEF", "salesforce/ALBEF is not there"),
        ("albef:nothing.pth", "unknown variant 'nothing.pth' of backbone albef"),
        ("albef:.", "is no file"),
    ],
)
def test_a_checkpoint_that_is_not_there(elsewhere, capsys, backbone, message):
    code, err = run(backbone, capsys)
    assert code == 2 and message in err


def test_other_content_than_demanded(elsewhere, capsys, small_albef_file):
    code, err = run(f"albef:{small_albef_file}@0123456789ab", capsys)
    assert code == 2 and f"has the digest {sha256_of(small_albef_file)[:12]}, not 0123456789ab" in err


@pytest.mark.parametrize(
    "name", ["cut.pth", "cut.safetensors", "empty.pth", "empty.safetensors", "words.pth"]
)
def test_a_damaged_file(elsewhere, tmp_path, capsys, small_albef, name):
    path = tmp_path / name
    if name.startswith("cut"):
        saved(tmp_path, small_albef, name)
        os.truncate(path, path.stat().st_size // 2)
    else:
        path.write_bytes(b"these are words" if name == "words.pth" else b"")
    code, err = run(f"albef:{path}", capsys)
    assert code == 1 and f"{path} is damaged" in err


@pytest.mark.parametrize("name", ["ALBEF.pth", "ALBEF.safetensors"])
def test_a_git_lfs_pointer(elsewhere, tmp_path, capsys, name):
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n")
    code, err = run(f"albef:{tmp_path / name}", capsys)
    assert code == 1 and f"{tmp_path / name} is a Git LFS pointer" in err and "run git lfs pull" in err


@pytest.mark.parametrize("content", [[torch.ones(2)], {"model": [1]}, {"model": {1: torch.ones(2)}}])
def test_a_file_without_named_tensors(elsewhere, tmp_path, capsys, content):
    torch.save(content, tmp_path / "x.pth")
    code, err = run(f"albef:{tmp_path / 'x.pth'}", capsys)
    assert code == 1 and "holds no tensors by name" in err


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("how", ["zip", "old format", "pickle", "a weight", "called safetensors"])
def test_pickled_code_never_runs(elsewhere, tmp_path, capsys, recwarn, how):
    mark = tmp_path / "it ran"
    evil = Evil(mark)
    pickle.loads(pickle.dumps(evil))  # noqa: S301 (our own)
    assert mark.is_dir(), "the trap works"
    mark.rmdir()
    content = {"model": {"temp": evil}} if how == "a weight" else {"model": {}, "config": evil}
    path = tmp_path / ("x.safetensors" if how == "called safetensors" else "x.pth")
    if how == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how != "old format")
    code, err = run(f"albef:{path}", capsys)
    assert code == 1 and f"{path} is damaged" in err and "weights_only" not in err
    assert not mark.exists()
    assert not recwarn.list, "nothing else is printed"
