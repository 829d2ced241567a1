"""Images of all forms are decoded as RGB, and are known by their content."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from official_data import load, paths_of, repaint_one
from PIL import Image

from mmulbench import file_digests
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.errors import MmulbenchError
from mmulbench.file_digests import ContentChanged
from mmulbench.files import sha256_of

NAMES = ("flickr30k", "coco", "snli_ve", "nlvr2")


def test_images_of_all_kinds_are_rgb(kept):
    for name in ("flickr30k", "nlvr2"):
        data = load(name, kept)
        images, modes = data.items["image"].images, Counter()
        for index, file in enumerate(paths_of(data)):
            with Image.open(file) as opened:
                modes[opened.format, opened.mode] += 1
                size = opened.size
            assert images[index].dtype == np.uint8 and images[index].shape == (*size[::-1], 3)
        expected = (
            {("JPEG", "L"), ("JPEG", "CMYK")} if name == "flickr30k" else {("PNG", "RGBA"), ("JPEG", "RGB")}
        )
        assert expected < {*modes}


def test_a_sequence_of_images(kept):
    images = load("flickr30k", kept).items["image"].images
    assert len({image.shape for image in images}) > 5
    part = images[3:6]
    assert len(part) == 3 and np.array_equal(part[0], images[3])
    assert np.array_equal(images[-1], images[len(images) - 1])
    with pytest.raises(IndexError):
        images[len(images)]


@pytest.fixture
def later(monkeypatch):
    """Let the clock be late enough for hints on files that were written now."""
    now = time.time_ns
    monkeypatch.setattr("mmulbench.file_digests.time.time_ns", lambda: now() + 10**11)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("name", NAMES)
def test_a_repaired_image_of_the_same_size_is_other_data(name, own, tmp_path):
    cache = ArtifactCache(tmp_path / "cache")
    with cache.hints():
        before = load(name, own)
        number = repaint_one(before)
        after = load(name, own)
    assert after.fingerprint != before.fingerprint
    assert after.fingerprint == load(name, own).fingerprint
    different = [a.digest != b.digest for a, b in zip(images_of(before), images_of(after), strict=True)]
    assert [place for place, one in enumerate(different) if one] == [number]


def images_of(data):
    return data.items["image"].images.stored


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("name", NAMES)
def test_images_are_read_once_to_be_known(name, own, tmp_path, monkeypatch):
    cache, hashed = ArtifactCache(tmp_path / "cache"), list[Path]()
    monkeypatch.setattr(file_digests, "sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    with cache.hints():
        first = load(name, own)
        assert sorted(hashed) == sorted(paths_of(first))  # by several threads
        hashed.clear()
        assert load(name, own).fingerprint == first.fingerprint and hashed == []
        assert load(name, own, limit=7).fingerprint != first.fingerprint and hashed == []


@pytest.mark.usefixtures("later")
def test_an_image_that_changes_after_it_was_hashed_ends_the_command(own, tmp_path):
    """What is cached under a digest was computed from that very content."""
    cache = ArtifactCache(tmp_path / "cache")
    with cache.hints():
        data = load("flickr30k", own)
    number = repaint_one(data)
    path = paths_of(data)[number]
    hints = list((tmp_path / "cache" / "digests").iterdir())
    assert len(hints) == 1
    with pytest.raises(ContentChanged, match=f"^{path}: it has changed since the data was opened: give the"):
        data.items["image"].images[number : number + 1]
    assert not hints[0].exists()
    with cache.hints():
        again = load("flickr30k", own)
    assert again.items["image"].images[number].shape == (8, 8, 3)


def test_an_image_that_cannot_be_read_is_named(own, monkeypatch):
    path = paths_of(load("flickr30k", own))[3]

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(file_digests, "sha256_of", refuse)
    with pytest.raises(MmulbenchError, match=f"^cannot read {path.parent}/.*: Permission denied$"):
        load("flickr30k", own)
