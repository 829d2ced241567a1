"""Folder trees in the exact layout of the official data sets, a few dozen tiny images large, with traps.

Every training split has more units than the forget lists of the task contract take.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

TRAIN, VALIDATION, TEST = 60, 10, 10

KINDS = ("a dog", "a cat", "a red car", "two people", "an old house", "a boat")
PLACES = ("in the snow", "on a beach", "near a lake", "at night", "in a street")


def write_all(root: Path) -> Path:
    """All four data sets."""
    for write in WRITERS.values():
        write(root)
    return root


def write_picture(path: Path, number: int) -> None:
    """An image whose size, colours and encoding depend on its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(number)
    height, width = 16 + number % 7, 20 + number % 5
    pixels = rng.integers(0, 256, 3) * np.ones((height, width, 3)) * np.linspace(0.5, 1, width)[:, None]
    image = Image.fromarray(pixels.astype(np.uint8))
    if path.suffix == ".jpg":
        image.convert({1: "L", 2: "CMYK"}.get(number % 4, "RGB")).save(path, "JPEG")
    elif number % 4 == 1:
        image.putalpha(128)
        image.save(path, "PNG")
    else:  # NLVR2 has many JPEGs called .png
        image.save(path, "JPEG" if number % 4 == 2 else "PNG")


def flickr_names() -> dict[str, list[str]]:
    """File names by Karpathy's name of the split."""
    names = [f"{1000000000 + 7919 * number}.jpg" for number in range(TRAIN + VALIDATION + TEST)]
    np.random.default_rng(0).shuffle(names)
    return {
        "train": names[:TRAIN],
        "val": names[TRAIN : TRAIN + VALIDATION],
        "test": names[TRAIN + VALIDATION :],
    }


def captions(number: int) -> list[str]:
    """Five captions: one with entities, one with spaces to spare, one that other images have too."""
    kind, place = KINDS[number % len(KINDS)], PLACES[number % len(PLACES)]
    return [
        f"{kind} {place}, picture {number}.",
        f"Tom &amp; Ann&#39;s {kind}, number {number}",
        f"  {kind}\t{place} of  {number} ",
        f"{kind} {place}",
        f"a photo of {kind} with \u00e9clairs {number}",
    ]


def write_flickr30k(root: Path) -> None:
    """Karpathy's form; one image has a caption twice, and the file is one line without end."""
    images: list[dict[str, Any]] = []
    number = 0
    for split, names in flickr_names().items():
        for name in names:
            texts = captions(number)
            if number == 3:
                texts[4] = texts[0]
            images.append(
                {
                    "filename": name,
                    "imgid": number,
                    "split": split,
                    "sentids": [5 * number + i for i in range(5)],
                    "sentences": [
                        {"tokens": text.split(), "raw": text, "imgid": number, "sentid": 5 * number + i}
                        for i, text in enumerate(texts)
                    ],
                }
            )
            write_picture(root / "flickr30k" / "flickr30k-images" / name, number)
            number += 1
    write_json(root / "flickr30k" / "dataset_flickr30k.json", {"images": images, "dataset": "flickr30k"})


def write_flickr30k_lists(root: Path) -> None:
    """The same data as ALBEF and BLIP store it; one file has a byte-order mark."""
    write_flickr30k(root)
    whole = root / "flickr30k" / "dataset_flickr30k.json"
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "val": [], "test": []}
    for image in json.loads(whole.read_text())["images"]:
        texts = [sentence["raw"] for sentence in image["sentences"]]
        row = {
            "image": f"flickr30k-images/{image['filename']}",
            "image_id": image["filename"].removesuffix(".jpg"),
        }
        if image["split"] == "train":
            rows["train"] += [{**row, "caption": text} for text in texts]
        else:
            rows[image["split"]].append({**row, "caption": texts})
    whole.unlink()
    for split, content in rows.items():
        write_json(root / "flickr30k" / f"flickr30k_{split}.json", content)
    path = root / "flickr30k" / "flickr30k_val.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def write_coco(root: Path) -> None:
    """Karpathy's form with restval, whose images lie in val2014."""
    images = []
    for number in range(TRAIN + VALIDATION + TEST):
        split = "train" if number < 40 else "restval" if number < TRAIN else "val" if number < 70 else "test"
        folder = "train2014" if split == "train" else "val2014"
        name = f"COCO_{folder}_{number:012d}.jpg"
        images.append(
            {
                "filepath": folder,
                "filename": name,
                "cocoid": number,
                "split": split,
                "sentences": [{"raw": text} for text in captions(number)],
            }
        )
        write_picture(root / "coco" / folder / name, number)
    write_json(root / "coco" / "dataset_coco.json", {"images": images})


def write_snli_ve(root: Path) -> None:
    """Windows line ends, a byte-order mark, rows without gold label, labels in mixed case, repeated rows.

    Its test images are Flickr30K's. Of its validation images Flickr30K trains on five, so it does not train
    on all that Flickr30K trains on, but on five that Flickr30K validates on.
    """
    write_flickr30k(root)
    names = flickr_names()
    train, dev = names["train"], names["val"]
    parts = {"train": [*train[5:], *dev[5:]], "dev": [*train[:5], *dev[:5]], "test": names["test"]}
    for part, images in parts.items():
        lines = []
        for number, name in enumerate(images):
            for label in ("entailment", "neutral", "Contradiction", "-"):
                text = f"{KINDS[number % len(KINDS)]} is {label.lower()} &lt;{number % 4}&gt;"
                lines.append(
                    {
                        "Flickr30K_ID": name.removesuffix(".jpg"),
                        "annotator_labels": [label],
                        "captionID": f"{name}#0",
                        "gold_label": label,
                        "pairID": f"{name}#0{label[0]}",
                        "sentence1": "a caption",
                        "sentence2": text,
                    }
                )
        lines.append(lines[0])
        lines.append({**lines[0], "gold_label": "neutral"})
        path = root / "snli_ve" / f"snli_ve_{part}.jsonl"
        write_lines(path, lines, end="\r\n", start=b"\xef\xbb\xbf" if part == "train" else b"")


def write_nlvr2(root: Path) -> None:
    """Training images in numbered folders, the others flat; two statements a pair; mixed-case labels."""
    counts = {"train": TRAIN, "dev": VALIDATION, "test1": TEST}
    number = 0
    for part, count in counts.items():
        lines = []
        for index in range(count):
            pair = f"{part}-{index // 4}-{index % 4}"
            directory = index % 3
            for sentence in range(2):
                line = {
                    "validation": {"0": "True"},
                    "sentence": f"One image shows {KINDS[(index + sentence) % len(KINDS)]}.",
                    "left_url": "https://example.org/left.png",
                    "right_url": "https://example.org/right.png",
                    "writer": "7",
                    "label": ("True", "False", "true")[(index + sentence) % 3],
                    "synset": "dog",
                    "query": "dog1",
                    "identifier": f"{pair}-{sentence}",
                }
                lines.append({**line, "directory": directory} if part == "train" else line)
            folder = f"train/{directory}" if part == "train" else part
            for side in range(2):
                write_picture(root / "nlvr2" / "images" / folder / f"{pair}-img{side}.png", number)
                number += 1
        write_lines(root / "nlvr2" / f"{part}.json", [*lines, lines[0]])


WRITERS: dict[str, Callable[[Path], None]] = {
    "flickr30k": write_flickr30k,
    "coco": write_coco,
    "snli_ve": write_snli_ve,
    "nlvr2": write_nlvr2,
}


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_lines(path: Path, rows: Iterable[Any], end: str = "\n", start: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + end for row in rows)
    path.write_bytes(start + text.encode())
