"""The miniatures of the official data sets as a hub holds them: parquet files, images inside."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

Fields = dict[str, Any]
CLASSES = ("entailment", "neutral", "contradiction")


@contextlib.contextmanager
def library_cache(cache: Path) -> Iterator[Path]:
    """The library's cache in a folder of the test, and no reaching for a hub."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(cache))
        patch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
        yield cache


def save(folder: Path, splits: dict[str, list[Fields]], **features: Any) -> Path:
    """Parquet files by split; ``features`` says which columns are images or labels."""
    for split, rows in splits.items():
        data = datasets.Dataset.from_list([dict.fromkeys(features) | row for row in rows])
        for name, feature in features.items():
            data = data.cast_column(name, feature)
        path = folder / "data" / f"{split}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        data.to_parquet(path)
    return folder


def picture(path: Path, name: str | None = None) -> Fields:
    return {"bytes": path.read_bytes(), "path": path.name if name is None else name}


def karpathy_images(root: Path, task: str) -> list[Fields]:
    return json.loads((root / task / f"dataset_{task}.json").read_text())["images"]


def flickr_rows(root: Path) -> list[Fields]:
    """One row an image, in the columns of nlphuji/flickr30k."""
    return [
        {
            "image": picture(root / "flickr30k" / "flickr30k-images" / image["filename"]),
            "caption": [sentence["raw"] for sentence in image["sentences"]],
            "sentids": [str(number) for number in image["sentids"]],
            "split": image["split"],
            "img_id": str(image["imgid"]),
            "filename": image["filename"],
        }
        for image in karpathy_images(root, "flickr30k")
    ]


def flickr_one_split(root: Path, folder: Path) -> Path:
    """As nlphuji/flickr30k: all in the split test, the real one in a column."""
    return save(folder, {"test": flickr_rows(root)}, image=datasets.Image())


def flickr_a_caption_a_row(root: Path, folder: Path) -> Path:
    """Three splits, each image again with each caption, its name stored with its bytes alone."""
    splits: dict[str, list[Fields]] = {"train": [], "dev": [], "test": []}
    for row in flickr_rows(root):
        split = "dev" if row["split"] == "val" else row["split"]
        splits[split] += [{"image": row["image"], "captions": text} for text in row["caption"]]
    return save(folder, splits, image=datasets.Image())


def coco_rows(root: Path) -> dict[str, list[Fields]]:
    """In the columns of yerevann/coco-karpathy, which has no images, by split."""
    splits: dict[str, list[Fields]] = {"train": [], "validation": [], "test": [], "restval": []}
    for image in karpathy_images(root, "coco"):
        row = {
            "filepath": image["filepath"],
            "filename": image["filename"],
            "sentences": [sentence["raw"] for sentence in image["sentences"]],
            "cocoid": image["cocoid"],
            "url": f"http://images.example.org/{image['filename']}",
        }
        splits["validation" if image["split"] == "val" else image["split"]].append(row)
    return splits


def coco_annotations(root: Path, folder: Path) -> Path:
    return save(folder, coco_rows(root))


def coco_images(root: Path, folder: Path) -> Path:
    splits = coco_rows(root)
    for row in (row for rows in splits.values() for row in rows):
        row["image"] = picture(root / "coco" / row["filepath"] / row["filename"])
    return save(folder, splits, image=datasets.Image())


def snli_rows(root: Path) -> dict[str, list[Fields]]:
    """In the official columns and with the image, as pingzhili/snli-ve."""
    splits = {}
    for split, part in (("train", "train"), ("validation", "dev"), ("test", "test")):
        text = (root / "snli_ve" / f"snli_ve_{part}.jsonl").read_bytes().decode("utf-8-sig")
        rows = [json.loads(line) for line in text.splitlines()]
        images = root / "flickr30k" / "flickr30k-images"
        splits[split] = [
            {
                "image": picture(images / f"{row['Flickr30K_ID']}.jpg", ""),
                "Flickr30K_ID": row["Flickr30K_ID"],
                "sentence": row["sentence2"],
                "gold_label": row["gold_label"],
            }
            for row in rows
        ]
    return splits


def snli_texts(root: Path, folder: Path) -> Path:
    """Labels as text: in mixed case, and ``-``."""
    return save(folder, snli_rows(root), image=datasets.Image())


def snli_numbers(root: Path, folder: Path) -> Path:
    """Labels as numbers with names in another order than the task's, -1 for none."""
    names = sorted(CLASSES)
    splits = {
        split: [
            {
                "image": row["image"],
                "filename": f"{row['Flickr30K_ID']}.jpg",
                "hypothesis": row["sentence"],
                "label": -1 if row["gold_label"] == "-" else names.index(row["gold_label"].lower()),
            }
            for row in rows
        ]
        for split, rows in snli_rows(root).items()
    }
    return save(folder, splits, image=datasets.Image(), label=datasets.ClassLabel(names=names))


def nlvr_rows(root: Path) -> dict[str, list[Fields]]:
    splits: dict[str, list[Fields]] = {}
    for part in ("train", "dev", "test1"):
        rows = [json.loads(line) for line in (root / "nlvr2" / f"{part}.json").read_text().splitlines()]
        splits[part] = []
        for row in rows:
            folder = root / "nlvr2" / "images" / (f"train/{row['directory']}" if part == "train" else part)
            pair = row["identifier"].rpartition("-")[0]
            images = [picture(folder / f"{pair}-img{side}.png") for side in range(2)]
            splits[part].append(
                {
                    "identifier": row["identifier"],
                    "sentence": row["sentence"],
                    "label": row["label"],
                    "directory": row.get("directory"),
                    "images": images,
                }
            )
    return splits


def nlvr_list(root: Path, folder: Path) -> Path:
    """Both images in one column."""
    return save(folder, nlvr_rows(root), images=datasets.List(datasets.Image()))


def nlvr_annotations(root: Path, folder: Path) -> Path:
    """No images; the folder that is named where training images lie."""
    splits = nlvr_rows(root)
    for row in (row for rows in splits.values() for row in rows):
        del row["images"]
    return save(folder, splits)


def nlvr_sides(root: Path, folder: Path) -> Path:
    """Images in two columns, labels true or false."""
    splits = {}
    for part, rows in nlvr_rows(root).items():
        splits[part] = [
            {
                "identifier": row["identifier"],
                "sentence": row["sentence"],
                "label": row["label"].lower() == "true",
                "left_image": row["images"][0],
                "right_image": row["images"][1],
            }
            for row in rows
        ]
    return save(folder, splits, left_image=datasets.Image(), right_image=datasets.Image())


FORMS: dict[str, tuple[str, Callable[[Path, Path], Path]]] = {
    "flickr_one_split": ("flickr30k", flickr_one_split),
    "flickr_a_caption_a_row": ("flickr30k", flickr_a_caption_a_row),
    "coco_annotations": ("coco", coco_annotations),
    "coco_images": ("coco", coco_images),
    "snli_texts": ("snli_ve", snli_texts),
    "snli_numbers": ("snli_ve", snli_numbers),
    "nlvr_list": ("nlvr2", nlvr_list),
    "nlvr_annotations": ("nlvr2", nlvr_annotations),
    "nlvr_sides": ("nlvr2", nlvr_sides),
}
"""By name, the task and what writes the form."""
