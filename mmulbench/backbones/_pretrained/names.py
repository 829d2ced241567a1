"""What checkpoints are called: by users on the command line, and in records."""

from __future__ import annotations

import re

_WITH_DIGEST = re.compile(r"(.+)@([0-9a-f]{12})")
_LONGEST_PART = 80
"""Characters between two slashes of a label: the store takes folder names of at most 100."""


def split_digest(source: str) -> tuple[str, str]:
    """A checkpoint's place, and the digest that its content must have; empty where none is demanded."""
    named = _WITH_DIGEST.fullmatch(source)
    return (named[1], named[2]) if named else (source, "")


def label_of(name: str, digest: str) -> str:
    """Name and digest, as records carry it; every part of the name makes a folder name."""
    parts = [re.sub(r"[^A-Za-z0-9_.+-]", "_", part).lstrip(".+-") for part in name.split("/")]
    return "/".join(part[:_LONGEST_PART] or "_" for part in parts) + f"@{digest}"


def argument_of(place: str, digest: str) -> str:
    """What to give the command line to get this very content; a bare name would be taken for a variant's."""
    return f"{place if '/' in place else f'./{place}'}@{digest}"
