"""Images of different units that are the same picture are counted, those in several splits first."""

from __future__ import annotations

import json
import shutil

import numpy as np
from official_data import load, mmulbench, paths_of
from PIL import Image

from mmulbench.tasks._official import same_images
from mmulbench.tasks._official.pair_table import Annotations, PairTable
from mmulbench.tasks._official.same_images import SameImages


def six_pairs() -> Annotations:
    """Two pairs of images in each split, such as a0 + a1 and b0 + b1 in train."""
    table = PairTable()
    for split, names in (("train", "ab"), ("validation", "cd"), ("test", "ef")):
        for name in names:
            table.add(split, (f"{name}0", f"{name}1"), f"text {name}", "here")
    return table.build(labelled=False)


def found(**colours: int) -> list[str]:
    same = SameImages(six_pairs())
    for name, colour in colours.items():
        same.add(name, np.full((2, 3, 3), colour, dtype=np.uint8))
    return same.lines()


def test_those_across_splits_come_first():
    assert found(a0=1, b1=1, c0=2, c1=3, d0=4, e0=2, f0=5) == [
        "4 images of different units are the same as another, pixel by pixel: 2 across splits, "
        "2 in one split",
        "c0 (validation) = e0 (test)",
        "a0 (train) = b1 (train)",
    ]


def test_a_group_is_ordered_by_split():
    assert found(e0=1, a0=1, c0=1)[1:] == ["a0 (train) = c0 (validation) = e0 (test)"]


def test_images_of_one_unit_may_be_the_same():
    assert found(a0=1, a1=1, b0=2, c0=3) == []


def test_another_shape_is_another_picture():
    same = SameImages(six_pairs())
    same.add("a0", np.zeros((2, 3, 3), dtype=np.uint8))
    same.add("b0", np.zeros((3, 2, 3), dtype=np.uint8))
    assert same.lines() == []


def test_no_list_is_endless(monkeypatch):
    monkeypatch.setattr(same_images, "GROUPS_SHOWN", 1)
    monkeypatch.setattr(same_images, "NAMES_SHOWN", 2)
    assert found(a0=1, b0=1, c0=1, d0=1, a1=2, b1=2, c1=3, d1=3)[1:] == [
        "a0 (train) = b0 (train) = 2 more",
        "and 2 more groups of images that are the same",
    ]


def test_data_check_names_them(own, capsys):
    data = load("flickr30k", own)
    paths = paths_of(data)
    first, second, tested = (paths[unit] for unit in [*data.train.units[:2], data.test.units[0]])
    shutil.copy(first, second)
    shutil.copy(first, tested)
    black = np.zeros((64, 64, 3), dtype=np.uint8)
    black[-1] = 255  # a BMP begins with the lowest row
    Image.fromarray(black).save(paths[data.validation.units[0]], "BMP")
    _, out, _ = mmulbench(capsys, "data", "check", "flickr30k", "--data-dir", own, "--json")
    names = [f"flickr30k-images/{path.name}" for path in (first, second, tested)]
    count, group, doubt = json.loads(out)["notes"]
    assert count.startswith("3 images of different units") and count.endswith(
        ": 3 across splits, 0 in one split"
    )
    assert group == f"{names[0]} (train) = {names[1]} (train) = {names[2]} (test)"
    assert doubt.endswith(": its last 12,096 bytes are zero: black rows, or never written")
    assert json.loads(out)["problems"] == []
    _, out, _ = mmulbench(capsys, "data", "check", "flickr30k", "--data-dir", own)
    assert "Worth a look" in out and group in out
