"""Let no sign end a command on a terminal, or in a log, that cannot show it."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

SIGNS = {
    "−": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "→": ">",
    "↑": "^",
    "↓": "v",
    "≥": ">=",
    "±": "+-",
    "×": "x",
    "·": ";",
    "′": "'",
    "†": "+",
    "✓": "+",
    "✗": "x",
    "Δ": "D",
}
"""What stands for the signs of tables and checks where they cannot be shown."""

HANDLER = "mmulbench.plain"
"""Name under which Python knows what is done with such signs."""


def plain(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for the signs that an encoding lacks: plain letters, or else their code points.

    Args:
        error: says which signs of which text these are.

    Returns:
        The text in ASCII, and where in the text to go on.

    Raises:
        UnicodeError: The error is not about signs to write.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain_sign, error.object[error.start : error.end])), error.end


def _plain_sign(sign: str) -> str:
    letters = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return SIGNS.get(sign) or letters or sign.encode("ascii", "backslashreplace").decode()


def replace_signs() -> None:
    """Make standard output and standard error replace what their encoding lacks."""
    codecs.register_error(HANDLER, plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)
