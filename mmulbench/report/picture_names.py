"""Name the files of a table's pictures, and find those that are published beside the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.hashing import fingerprint
from mmulbench.records.group_key import GroupKey
from mmulbench.records.store import folder_of_backbone

if TYPE_CHECKING:
    from mmulbench.report.page import TableText

FOLDER = "plots"
"""Folder of a results folder where its pictures are published."""

SHOWN = "forgetting"
"""Kind of the picture that a leaderboard shows of each table."""


def picture_stems(keys: Iterable[GroupKey]) -> dict[GroupKey, str]:
    """Return what the names of each table's pictures begin with.

    Args:
        keys: the tables that have pictures.

    Returns:
        ``<task>-<backbone>-<forget size>``; where tables differ in something else, with 8 digits of a
        fingerprint of their key.
    """
    names = {key: f"{key.task}-{folder_of_backbone(key.backbone)}-{key.forget_size}" for key in keys}
    often = Counter(names.values())
    return {
        key: name if often[name] == 1 else f"{name}-{fingerprint(list(key))[:8]}"
        for key, name in names.items()
    }


def pictures_of(tables: Sequence[TableText], results: Path) -> dict[GroupKey, Path]:
    """Return the published picture of each table that has one.

    Args:
        tables: all tables.
        results: the results folder.
    """
    drawn = [table.key for table in tables if any(line.measures for line in table.standing.lines)]
    paths = {key: results / FOLDER / f"{stem}-{SHOWN}.png" for key, stem in picture_stems(drawn).items()}
    return {key: path for key, path in paths.items() if path.is_file()}
