"""Make a task's data of the rows of a table: items, pairs, splits, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmulbench import Integers, MmulbenchError, RawItems, TaskData, data_fingerprint
from mmulbench.pictures import DECODING
from mmulbench.tasks._official.images import Images
from mmulbench.tasks._official.pair_table import SPLITS, Annotations, PairTable, Unit, clean
from mmulbench.tasks._tables.arrangement import Rows
from mmulbench.tasks._tables.column_values import ColumnValues

MOST_CLASSES = 1000
"""Largest number of classes: a column with more different labels is no column of classes."""


@dataclass(frozen=True)
class TableData(TaskData):
    """Holds the pairs of a table, with what the table calls them.

    Attributes:
        names: (m,) unit of each item of the first modality, as the table has it.
        owners: (m,) number of the forget unit of each of these items; those of one unit have the same.
        other_names: further names, of copies that are no items by themselves, and the items they are of.
        columns: all columns of the table, of the rows that training pairs are from.
        classes: names of the classes; empty for retrieval.
        called: name of the column by what it holds, such as ``unit``.
    """

    names: ColumnValues
    owners: Integers
    other_names: Mapping[str, Sequence[int]]
    columns: Mapping[str, ColumnValues]
    classes: tuple[str, ...]
    called: Mapping[str, str]


@dataclass(frozen=True)
class UnitNames:
    """Holds what the forget units of m items of the pairs are called.

    Attributes:
        names: (m,) unit of each item, as the table has it.
        owners: (m,) number of the unit of each item, counted from 0.
        others: further names, and the items that each is of.
    """

    names: ColumnValues
    owners: Integers
    others: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Pairs:
    """Holds the pairs of a table before pictures are looked at.

    Attributes:
        annotations: items and pairs.
        rows: row that each training pair is from.
        items: item of the rows that each unit of the annotations is.
        classes: names of the classes; empty for retrieval.
    """

    annotations: Annotations
    rows: Integers
    items: Integers
    classes: tuple[str, ...]


def pairs_of(
    rows: Rows, texts: Sequence[str], labels: Sequence[str] | None, splits: Sequence[str], limit: int
) -> Pairs:
    """Collect the pairs of all rows; empty texts, missing labels and repetitions are left out and counted.

    Args:
        rows: the rows.
        texts: (n,) text of each row.
        labels: (n,) label of each row; None for retrieval.
        splits: (n,) split of each row.
        limit: number of items to keep of each split; 0 keeps all.

    Raises:
        MmulbenchError: if a split has no pairs, there is one class, or training lacks one.
    """
    classes = () if labels is None else _classes(rows, texts, labels, splits)
    number = {name: place for place, name in enumerate(classes)}
    table, first = PairTable(), dict[tuple[Unit, str], int]()
    for row, (item, text, split) in enumerate(zip(rows.items.tolist(), texts, splits, strict=True)):
        label = 0
        if labels is not None:
            if not labels[row]:
                table.dropped["no label"] += 1
                continue
            label = number.get(labels[row], 0)
        unit = rows.names[item]
        table.add(split, unit, text, rows.where(row), label)
        first.setdefault((unit, clean(text)), row)
    annotations = table.build(labelled=labels is not None, limit=limit)
    place = {unit: item for item, unit in enumerate(rows.names)}
    train = annotations.splits["train"]
    keys = zip(train.first.tolist(), train.second.tolist(), strict=True)
    found = [first[annotations.units[unit], annotations.texts[text]] for unit, text in keys]
    items = [place[unit] for unit in annotations.units]
    return Pairs(annotations, np.array(found, dtype=np.int64), np.array(items, dtype=np.int64), classes)


def _classes(
    rows: Rows, texts: Sequence[str], labels: Sequence[str], splits: Sequence[str]
) -> tuple[str, ...]:
    """Return the classes, in the order of the alphabet or of numbers.

    Raises:
        MmulbenchError: if there is one alone, or far too many, or training lacks one.
    """
    first = dict[str, int]()
    for row, (label, text) in enumerate(zip(labels, texts, strict=True)):
        if label and clean(text):
            first.setdefault(label, row)
    if len(first) < 2:
        there = f"one label alone, {next(iter(first))!r}" if first else "no labels"
        raise MmulbenchError(f"the table has {there}: it takes two classes to tell apart")
    if len(first) > MOST_CLASSES:
        raise MmulbenchError(
            f"the table has {len(first):,} different labels, such as {next(iter(first))!r}: more than "
            f"{MOST_CLASSES:,} are no classes; is another column meant? --set task.label=COLUMN"
        )
    pairs = zip(labels, texts, splits, strict=True)
    trained = {label for label, text, split in pairs if split == "train" and clean(text)}
    for label, row in first.items():
        if label not in trained:
            raise MmulbenchError(
                f"{rows.where(row)}: the label {label!r} is in the split {splits[row]}, but not in train: "
                "what was never trained on cannot be told"
            )
    numeric = all(label.isascii() and label.isdigit() for label in first)
    return tuple(sorted(first, key=int if numeric else str))


def images_of(annotations: Annotations) -> tuple[list[str], Integers | None]:
    """Give numbers to the pictures of all items.

    Args:
        annotations: items and pairs.

    Returns:
        Names of the pictures, and (m, k) those that make up each item; None where an item is one picture.
    """
    names = sorted({name for unit in annotations.units for name in unit})
    if all(len(unit) == 1 for unit in annotations.units):
        return names, None
    index = {name: number for number, name in enumerate(names)}
    return names, np.array([[index[name] for name in unit] for unit in annotations.units], dtype=np.int64)


def table_data(
    pairs: Pairs,
    images: Images,
    groups: Integers | None,
    names: UnitNames,
    columns: Mapping[str, ColumnValues],
    called: Mapping[str, str],
) -> TableData:
    """Put a task's data together.

    Args:
        pairs: items and pairs.
        images: pictures.
        groups: (m, k) pictures that make up each item; None where an item is one.
        names: what the units of the items are called.
        columns: columns of the training pairs.
        called: name of the column by what it holds.
    """
    found = pairs.annotations
    arrays = [names.owners, *([] if groups is None else [groups])]
    for split in SPLITS:
        part = found.splits[split]
        arrays += [part.first, part.second, *([] if part.label is None else [part.label])]
    pictures = (f"{name}\0{image.digest}" for name, image in zip(images.names, images.stored, strict=True))
    parts: tuple[Iterable[str], ...] = (pictures, found.texts, names.names, pairs.classes)
    texts = [text for part in map(list, parts) for text in (str(len(part)), *part)]
    return TableData(
        items={"image": RawItems(images=images, groups=groups), "text": RawItems(texts=found.texts)},
        **found.splits,
        fingerprint=data_fingerprint(arrays, [f"decoding {DECODING}", *texts]),
        names=names.names,
        owners=names.owners,
        other_names=names.others,
        columns=columns,
        classes=pairs.classes,
        called=called,
    )
