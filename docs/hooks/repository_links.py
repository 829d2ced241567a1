"""Let pages link to files of the repository outside ``docs/``: each such file becomes part of the site.

A link such as ``[scrub.py](../methods/scrub.py)`` works where Markdown is read in the repository. In the
built site it leads to a page that shows the file. Pictures and data files are copied as they are, and
Markdown outside ``docs/`` becomes a page, with the files that it links to.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s#]+)(#[^)\s]*)?\)")
ELSEWHERE = re.compile(r"[a-z]+:|/")
SHOWN = {".py": "python", ".toml": "toml", ".yml": "yaml", ".cff": "yaml", ".txt": "text", "": "text"}
ROOM = "source/"


def in_repository(place: str) -> str:
    """Return the path in the repository of what the site has at a place."""
    return place.removeprefix(ROOM) if place.startswith(ROOM) else f"docs/{place}"


def in_site(path: str) -> str:
    """Return where the site has a file of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"{ROOM}{path}.md" if Path(path).suffix in SHOWN else f"{ROOM}{path}"


def linked(place: str, text: str) -> set[str]:
    """Return the files that a page of the site links to, as paths in the repository.

    Args:
        place: where the site has the page.
        text: its Markdown.
    """
    return {_target(place, link) for _, link, _ in LINK.findall(text) if not ELSEWHERE.match(link)}


def rewritten(place: str, text: str) -> str:
    """Return a page's Markdown with its links led to where the site has the files.

    Args:
        place: where the site has the page.
        text: its Markdown.
    """

    def replace(match: re.Match[str]) -> str:
        words, link, anchor = match[1], match[2], match[3] or ""
        if ELSEWHERE.match(link):
            return match[0]
        goal = posixpath.relpath(in_site(_target(place, link)), posixpath.dirname(place) or ".")
        return f"{words}({goal}{anchor})"

    return LINK.sub(replace, text)


def shown(root: Path, path: str) -> str | None:
    """Return the Markdown that shows a file; None where the file is copied as it is.

    Args:
        root: folder of the repository.
        path: the file in it.
    """
    suffix = Path(path).suffix
    if suffix not in (*SHOWN, ".md"):
        return None
    text = (root / path).read_text(encoding="utf-8").rstrip("\n")
    head = "---\nsearch: {exclude: true}\n---\n\n"
    return head + (text if suffix == ".md" else f"# {path}\n\n~~~~{SHOWN[suffix]}\n{text}\n~~~~\n")


def _target(place: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(in_repository(place)), link))
