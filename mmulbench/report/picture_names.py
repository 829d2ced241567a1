"""Name the files of a table's pictures, and find those that are published beside the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.hashing import fingerprint
from mmulbench.records.group_key import GroupKey
from mmulbench.records.store import folder_of_backbone

if TYPE_CHECKING:
    from mmulbench.report.page import TableText

FOLDER = "plots"
"""Folder of a results folder where its pictures are published."""

SHOWN, FOLDED = "forgetting", "paths"
"""Kinds of the pictures of each table that a leaderboard shows, and folds."""


def picture_stems(keys: Iterable[GroupKey]) -> dict[GroupKey, str]:
    """Return what the names of each table's pictures begin with.

    Args:
        keys: the tables that have pictures.

    Returns:
        ``<task>-<backbone>-<forget size>``; where tables differ in something else, with 8 digits of a
        fingerprint of their key.
    """
    return _told_apart({key: f"{_start(key)}-{key.forget_size}" for key in keys})


def family_stems(keys: Iterable[GroupKey]) -> dict[str, list[GroupKey]]:
    """Return the tables that differ in their forget size alone, by the beginning of their pictures' names.

    Args:
        keys: the tables that have pictures; those of forget lists belong to no others.
    """
    families: dict[GroupKey, list[GroupKey]] = {}
    for key in keys:
        if not key.forget:
            families.setdefault(key._replace(forget_size=0), []).append(key)
    return {stem: families[key] for key, stem in _told_apart({key: _start(key) for key in families}).items()}


def _start(key: GroupKey) -> str:
    return f"{key.task}-{folder_of_backbone(key.backbone)}"


def _told_apart(names: Mapping[GroupKey, str]) -> dict[GroupKey, str]:
    """Add 8 digits of a fingerprint of its key to a name that several have."""
    often = Counter(names.values())
    return {
        key: name if often[name] == 1 else f"{name}-{fingerprint(list(key))[:8]}"
        for key, name in names.items()
    }


def pictures_of(tables: Sequence[TableText], results: Path, kind: str = SHOWN) -> dict[GroupKey, Path]:
    """Return the published picture of each table that has one.

    Args:
        tables: all tables.
        results: the results folder.
        kind: kind of the picture.
    """
    drawn = [table.key for table in tables if any(line.measures for line in table.standing.lines)]
    paths = {key: results / FOLDER / f"{stem}-{kind}.png" for key, stem in picture_stems(drawn).items()}
    return {key: path for key, path in paths.items() if path.is_file()}
