"""Say what a task's items are called, where people name what is to be forgotten."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from mmulbench.core.backbone import RawItems
    from mmulbench.core.task import Task, TaskData

JOINED = "+"
"""Sign between the names of the parts of an item that has several, as NLVR2's image pairs have."""


class ListColumns(NamedTuple):
    """Holds what columns of a list of what to forget may be called; of several, the first that it has counts.

    Attributes:
        units: names of a column of unit ids, beside ``unit`` and ``id``.
        partners: names of a column that says which items of the second modality are meant.
    """

    units: tuple[str, ...]
    partners: tuple[str, ...]


def same_name(name: str) -> str:
    """Return what all ways to write a name have in common: no white space around it, composed characters.

    Computers write "ë" as one character or as two, which look alike (Unicode's forms NFC and NFD).

    Args:
        name: the name.
    """
    return unicodedata.normalize("NFC", name.strip())


def names_of(items: RawItems) -> Sequence[str]:
    """Return n items' names: texts and nodes are their own, images have those of their files or numbers.

    Args:
        items: items of one modality.
    """
    parts = items.texts if items.texts is not None else getattr(items.images, "names", None)
    if parts is None:
        return [str(number) for number in range(len(items))]
    if items.groups is None:
        return parts
    return [JOINED.join(parts[part] for part in group) for group in items.groups.tolist()]


def columns_of(task: Task, data: TaskData) -> Mapping[str, Sequence[str]]:
    """Return what each training pair says of itself: its text, where there is one, and its class's name.

    Args:
        task: the task, which names the classes.
        data: data of the task.
    """
    second = data.items[task.modalities[1]]
    found: dict[str, Sequence[str]] = {}
    if second.texts is not None and second.groups is None:
        found[task.modalities[1]] = np.asarray(second.texts, dtype=object)[data.train.second].tolist()
    if data.train.label is not None:
        found["label"] = np.asarray(task.classes, dtype=object)[data.train.label].tolist()
    return found
