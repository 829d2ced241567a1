"""Say what an item of a task's data looks like and says: small pictures, and a line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmulbench.audit.thumbnails import SIDE, thumbnail
from mmulbench.plain_text import one_line

if TYPE_CHECKING:
    from mmulbench.core.backbone import RawItems

LONGEST_TEXT = 110
"""Most characters of a text that are shown."""

Item = tuple[tuple[str, ...], str]
"""Pictures of an item as ``data:`` addresses, and its text."""


def item_of(items: RawItems, index: int, *, side: int = SIDE) -> Item:
    """Return what an item looks like and says: of a group, all its parts.

    Args:
        items: items of a modality.
        index: the item.
        side: most pixels of a picture's side.
    """
    parts = [index] if items.groups is None else [int(part) for part in items.groups[index]]
    images = () if items.images is None else tuple(thumbnail(items.images[part], side) for part in parts)
    texts = [] if items.texts is None else [_shortened(items.texts[part]) for part in parts]
    return images, " and ".join(texts)


def _shortened(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1].rstrip()}…"
