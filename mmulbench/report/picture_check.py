"""Find published pictures that no longer show the records, by the digest of their numbers that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from mmulbench.files import reason_of
from mmulbench.plain_text import visible
from mmulbench.report.picture_names import FOLDER

_NAME = re.compile(
    r"(?P<stem>.+-[0-9]+(-[0-9a-f]{8})?|.+(?=-sizes\.))-(?P<kind>[a-z]+(-[0-9]+)?)\.(png|svg|pdf|csv)"
)
_UNCHECKED = "roc"
"""Kind of pictures that are of scores by unit, which do not lie in the records."""

_DESCRIPTION = re.compile(r"<dc:description>(.*?)</dc:description>")
_SUBJECT = re.compile(rb"/Subject \((.*?)\)")


def published_pictures(results: Path) -> dict[str, dict[str, list[Path]]]:
    """Return the files of published pictures by what their names begin with, and by kind.

    Args:
        results: the results folder.
    """
    found: dict[str, dict[str, list[Path]]] = {}
    for path in sorted((results / FOLDER).glob("*")):
        parts = _NAME.fullmatch(path.name)
        if parts is not None and parts["kind"] != _UNCHECKED and path.is_file():
            found.setdefault(parts["stem"], {}).setdefault(parts["kind"], []).append(path)
    return found


def stale_pictures(
    published: Mapping[str, Mapping[str, Iterable[Path]]], shown: Callable[[str], Mapping[str, str]]
) -> list[str]:
    """Return a line for each file that shows other numbers than the records have.

    Args:
        published: the files.
        shown: says of a picture's name what each of its kinds says of its numbers today; empty where there
            are no such records.
    """
    lines = []
    for stem, kinds in published.items():
        today = shown(stem)
        for kind, paths in kinds.items():
            for path in paths:
                if kind not in today:
                    lines.append(f"{visible(str(path))} is of no record any more: delete it")
                elif described(path) != today[kind]:
                    lines.append(f"{visible(str(path))} is older than its records")
    return lines


def described(path: Path) -> str | None:
    """Return what a picture says of the numbers that it shows; a CSV is these numbers.

    Args:
        path: the file.

    Returns:
        The description; None where there is none, or the file cannot be read.
    """
    from mmulbench.report.style import description

    try:
        if path.suffix == ".csv":
            return description(path.read_text(encoding="utf-8"))
        if path.suffix == ".svg":
            found = _DESCRIPTION.search(path.read_text(encoding="utf-8"))
            return None if found is None else found[1]
        if path.suffix == ".pdf":
            subject = _SUBJECT.search(path.read_bytes())
            return None if subject is None else subject[1].decode("ascii")
        from PIL import Image

        with Image.open(path) as image:
            return str(image.info.get("Description"))
    except (OSError, ValueError) as error:
        return f"cannot be read: {reason_of(error) if isinstance(error, OSError) else error}"
