"""README.md and the pages of docs/, with the commands and files that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))

TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
README = TEXTS["README.md"]

COMMAND = re.compile(r"^<!-- command: (\w+) -->\n```sh\n(.*?)\n```$", re.M | re.S)
CODE = re.compile(r"^<!-- code: (\w+) -->\n```python\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.M | re.S)


def shown(pattern: re.Pattern[str]) -> Iterator[tuple[str, str, str]]:
    """Page, name and content of every block of a kind."""
    for page, text in TEXTS.items():
        for name, content in pattern.findall(text):
            yield page, name, content


COMMANDS = {name: content for _, name, content in shown(COMMAND)}
CODES = {name: content for _, name, content in shown(CODE)}
FILES = {name: content for _, name, content in shown(FILE)}


def prose(text: str) -> Iterator[str]:
    """The lines of a page that are neither code, nor a table, nor a picture, nor a marker."""
    inside = False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif not inside and not line.startswith(("|", "![", "<!--")):
            yield line
