"""What checkpoints are called: by users on the command line, and in records."""

from __future__ import annotations

import re

_WITH_DIGEST = re.compile(r"(.+)@([0-9a-f]{12})")
_LONGEST_PART = 80
"""Characters between two slashes of a label: the store takes folder names of at most 100."""


def split_digest(source: str) -> tuple[str, str]:
    """Return a checkpoint's place, and the digest that its content must have, or an empty one."""
    named = _WITH_DIGEST.fullmatch(source)
    return (named[1], named[2]) if named else (source, "")


def label_of(name: str, digest: str) -> str:
    """Return name and digest, as records carry it; every part of the name makes a folder name.

    Args:
        name: file name, or ``owner/name`` on a hub.
        digest: first 12 hexadecimal digits of the content's SHA-256.
    """
    parts = [re.sub(r"[^A-Za-z0-9_.+-]", "_", part).lstrip(".+-") for part in name.split("/")]
    return "/".join(part[:_LONGEST_PART] or "_" for part in parts) + f"@{digest}"


def argument_of(place: str, digest: str) -> str:
    """Return what to give the command line to get this very content.

    Args:
        place: path, or ``owner/name`` on a hub; a bare name gets a folder, since it could be a variant's.
        digest: first 12 hexadecimal digits of the content's SHA-256.
    """
    return f"{place if '/' in place else f'./{place}'}@{digest}"
