"""Picture files of all forms are decoded as RGB, upright and scaled."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import TASKS
from mmulbench.file_digests import ContentChanged
from mmulbench.pictures import read_image
from mmulbench.progress import Progress

TEMPLATES = Path(__file__).resolve().parents[1] / "mmulbench" / "authoring" / "templates"


def test_transparent_parts_are_white(tmp_path):
    image = Image.new("RGBA", (4, 4), (200, 0, 0, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save(tmp_path / "a.png")
    indexed = Image.new("P", (4, 4), 1)
    indexed.putpalette([0, 0, 0, 200, 0, 0])
    indexed.putpixel((0, 0), 0)
    indexed.save(tmp_path / "b.png", transparency=0)
    for name in "ab":
        pixels = read_image(tmp_path / f"{name}.png")
        assert pixels[0, 0].tolist() == [255, 255, 255] and pixels[1, 1].tolist() == [200, 0, 0]


def test_only_the_content_with_the_digest_that_was_taken_is_decoded(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (4, 4), (200, 0, 0)).save(path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert read_image(path, digest=digest)[0, 0].tolist() == [200, 0, 0]
    path.write_bytes(b"not even a picture")
    for image, where, place in ((path, "", str(path)), (path.read_bytes(), "row 5", "row 5")):
        with pytest.raises(ContentChanged) as caught:
            read_image(image, where, digest)
        assert str(caught.value).startswith(f"{place}: it has changed since the data was opened")


def test_colours_survive_cmyk(tmp_path):
    Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - (250, 10, 10)).max() < 20


@pytest.mark.parametrize("form", ["PNG", "BMP"])
def test_eight_bits_stay_as_they_are(form, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a", form)
    assert np.array_equal(read_image(tmp_path / "a"), pixels)


def test_sixteen_bits_of_grey_are_scaled(tmp_path):
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(ramp * 257).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), np.stack([ramp] * 3, axis=2))


def test_a_transparent_grey_of_sixteen_bits_is_white(tmp_path):
    grey = np.full((2, 2), 100 * 257, dtype=np.uint16)
    grey[0, 0] = 7
    Image.fromarray(grey).save(tmp_path / "a.png", transparency=7)
    assert read_image(tmp_path / "a.png")[..., 1].tolist() == [[255, 100], [100, 100]]


def turned(orientation: int, form: str) -> bytes:
    """Three rows, red, green and blue, and the right column black, stored with an orientation."""
    pixels = np.zeros((48, 32, 3), dtype=np.uint8)
    for row in range(3):
        pixels[row * 16 : row * 16 + 16, :16, row] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, exif=exif, **({"quality": 95} if form == "JPEG" else {}))
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_datasets_turns_them(orientation, form):
    datasets = pytest.importorskip("datasets")
    content = turned(orientation, form)
    theirs = np.asarray(datasets.Image().decode_example({"bytes": content, "path": None}).convert("RGB"))
    assert np.array_equal(read_image(content), theirs)
    assert theirs.shape == ((48, 32, 3) if orientation < 5 else (32, 48, 3))


def test_a_camera_on_its_side_gives_an_upright_picture():
    """Orientation 6: what is stored left is up, so that red, stored above, is right."""
    pixels = read_image(turned(6, "PNG"))
    assert pixels[0, -1].tolist() == [255, 0, 0] and pixels[0, 0].tolist() == [0, 0, 255]


def test_sixteen_bits_of_grey_are_turned_too(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    grey = np.array([[0, 257], [514, 771]], dtype=np.uint16)
    Image.fromarray(grey).save(tmp_path / "a.png", exif=exif)
    assert read_image(tmp_path / "a.png")[..., 0].tolist() == [[3, 2], [1, 0]]


def test_damaged_exif_turns_nothing():
    content = turned(6, "JPEG")
    start = content.index(b"Exif\0\0") + 6
    broken = content[:start] + b"MM\0*\xff\xff\xff\xff" + content[start + 8 :]
    assert read_image(broken).shape == (48, 32, 3)


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for form in ("GIF", "PNG", "WEBP"):
        more = {"lossless": True} if form == "WEBP" else {}
        frames[0].save(tmp_path / form, form, save_all=True, append_images=frames[1:], **more)
        assert read_image(tmp_path / form)[0, 0].tolist() == [255, 0, 0], form


def test_a_task_from_the_template_reads_pictures_so(tmp_path):
    folder = tmp_path / "my_task"
    folder.mkdir()
    (folder / "side.png").write_bytes(turned(6, "PNG"))
    Image.fromarray(np.full((8, 8), 100 * 257, dtype=np.uint16)).save(folder / "deep.png")
    rows = ["image\tcaption\tsplit", "side.png\ton its side\ttrain", "deep.png\tgrey\ttest"]
    (folder / "captions.tsv").write_text("\n".join([*rows, ""]))
    load_plugins([TEMPLATES / "my_task.py"])
    deep, side = TASKS.get("my_task")().load(tmp_path, Progress()).items["image"].images
    assert (deep == 100).all()
    assert side[0, -1].tolist() == [255, 0, 0] and side[0, 0].tolist() == [0, 0, 255]
