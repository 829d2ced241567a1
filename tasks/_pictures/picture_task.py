"""Hold what all tasks on packaged pictures share: their settings, splits by picture, and their data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmulbench import Integers, RawItems, Split, Task, TaskData, data_fingerprint

T = TypeVar("T")


class PictureTask(Task):
    """Describes a task on pictures that come with installed packages."""

    modalities = ("image", "text")
    default_backbone = "albef:packaged"
    tuned_like = ("emoji", "albef:packaged")

    @dataclass(frozen=True)
    class Config:
        """Holds the settings of a task on pictures.

        Attributes:
            limit: number of pictures to read, evenly spread over all of them; 0 reads all. For quick trials.
                Of near twins among them one is used.
        """

        limit: int = 0

        def __post_init__(self) -> None:
            if self.limit != 0 and self.limit < 20:
                raise ValueError("limit must be 0 (all) or at least 20")

    config: Config


class PictureSplits(NamedTuple):
    """Holds the numbers of the pictures in each split, ascending.

    Attributes:
        train: (t,) numbers of the training pictures.
        validation: (v,) numbers of the validation pictures.
        test: (s,) numbers of the test pictures.
    """

    train: Integers
    validation: Integers
    test: Integers


class LabelledText(NamedTuple):
    """Holds a text on a forget unit, and its class.

    Attributes:
        unit: number of the forget unit.
        text: a statement or hypothesis.
        label: number of the class.
    """

    unit: int
    text: str
    label: int


def spread(entries: Sequence[T], limit: int) -> list[T]:
    """Take some of the entries, evenly spread over all of them.

    Args:
        entries: entries in a fixed order.
        limit: number of entries to take; 0 takes all.
    """
    if not limit:
        return list(entries)
    places = np.linspace(0, len(entries) - 1, min(limit, len(entries))).round().astype(int)
    return [entries[place] for place in places]


def split_pictures(images: NDArray[np.uint8], test: int = 10, validation: int = 10) -> PictureSplits:
    """Draw train, validation and test pictures, the same for every seed.

    Args:
        images: (n, h, w, 3) pixels of the pictures, no two of them identical.
        test: percentage of the pictures that are tested on; at least one picture is.
        validation: percentage of the pictures that are validated on; at least one picture is.
    """
    # A hash's order is as good as a random one, and fixed.
    order = np.argsort([hashlib.sha256(image.tobytes()).hexdigest() for image in images])
    tests, validations = (max(len(images) * share // 100, 1) for share in (test, validation))
    held_out = tests + validations
    return PictureSplits(np.sort(order[held_out:]), np.sort(order[tests:held_out]), np.sort(order[:tests]))


def caption_data(
    images: NDArray[np.uint8], captions: Sequence[Iterable[str]], parts: PictureSplits
) -> TaskData:
    """Make the data of a retrieval task out of pictures with their texts.

    Args:
        images: (n, h, w, 3) pixels of the pictures.
        captions: different texts of each picture; a text that several pictures have is one item.
        parts: numbers of the pictures in each split.
    """
    texts: dict[str, int] = {}
    pairs = [
        (picture, texts.setdefault(text, len(texts))) for picture, own in enumerate(captions) for text in own
    ]
    both = Split(*np.array(pairs, dtype=np.int64).T.copy())
    kept = (both.only(part) for part in parts)
    train, validation, test = (Split(split.first, split.second) for split in kept)
    return TaskData(
        items={"image": RawItems(images=images), "text": RawItems(texts=tuple(texts))},
        train=train,
        validation=validation,
        test=test,
        fingerprint=data_fingerprint((images, both.first, both.second, *parts), list(texts)),
    )


def statement_data(
    images: NDArray[np.uint8], parts: Iterable[Sequence[LabelledText]], groups: Integers | None = None
) -> TaskData:
    """Make the data of a classification task out of pictures, or groups of pictures, with labelled texts.

    Args:
        images: (n, h, w, 3) pixels of the pictures.
        parts: labelled texts of the train, validation and test units.
        groups: (u, k) pictures that make up each unit; None where each picture is a unit.
    """
    texts: dict[str, int] = {}
    train, validation, test = (_numbered(part, texts) for part in parts)
    columns = [
        column
        for split in (train, validation, test)
        for column in (split.first, split.second, split.label)
        if column is not None
    ]
    units = [] if groups is None else [groups]
    return TaskData(
        items={"image": RawItems(images=images, groups=groups), "text": RawItems(texts=tuple(texts))},
        train=train,
        validation=validation,
        test=test,
        fingerprint=data_fingerprint((images, *units, *columns), list(texts)),
    )


def _numbered(part: Iterable[LabelledText], texts: dict[str, int]) -> Split:
    """Make a split whose texts are numbered in order of first appearance; ``texts`` is extended."""
    rows = [(one.unit, texts.setdefault(one.text, len(texts)), one.label) for one in part]
    return Split(*np.array(rows, dtype=np.int64).reshape(-1, 3).T.copy())
