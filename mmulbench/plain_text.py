"""Make text of files and errors safe to print: nothing in it moves the cursor, begins a line or is hidden."""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"  # controls, among them the escapes that terminals obey
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # changes of the direction of writing
    "\ud800-\udfff]"  # bytes of file names that are not UTF-8
)


def visible(text: str) -> str:
    r"""Return a text with each control character written out.

    Example:
        >>> visible("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    r"""Return a text in one line, with one space for each gap and each control character written out.

    Example:
        >>> one_line("loss:\n  nan")
        'loss: nan'
    """
    return visible(" ".join(text.split()))
