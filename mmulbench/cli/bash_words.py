"""Complete words with ``:`` or ``=`` for bash, which takes each of these signs for a word of its own.

Of ``run -b albef:ti`` bash says that the words are ``run``, ``-b``, ``albef``, ``:`` and ``ti``, and it puts
an answer in the place of ``ti`` alone. So words are put together again before names are looked up, and
answers lose what bash would write twice. Which signs part words is bash's ``COMP_WORDBREAKS``: where it parts
none, nothing is put together.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator, Sequence

ASKED = ("_MMULBENCH_COMPLETE", "complete_bash")
"""Variable and value by which a bash says that it wants a word completed."""

_PARTING = re.compile("[:=]+")


def put_together(words: Sequence[str], place: int) -> tuple[list[str], int, str]:
    """Put words together that bash has parted.

    Args:
        words: the words of the line.
        place: which of them is to be completed; the first is 0.

    Returns:
        The words as they were typed, which of them is to be completed, and what of its value bash leaves as
        it is.
    """
    found: list[str] = []
    there, last = len(words), ""
    for number, word in enumerate(words):
        parts = _PARTING.fullmatch(word) is not None
        if found and (parts or (word and _PARTING.fullmatch(last))):
            kept = found[-1] if not parts else found[-1] + word
            found[-1] += word
        else:
            kept = ""
            found.append(word)
        last = word
        if number == place:
            there, left = len(found) - 1, kept
            break
    else:
        return found, there, ""
    return [*found, *words[place + 1 :]], there, _of_value(left)


def _of_value(word: str) -> str:
    """Return the beginning of a value without the option that it may follow, as in ``--backbone=albef:``."""
    return word.partition("=")[2] if word.startswith("-") else word


@contextlib.contextmanager
def whole_words() -> Iterator[None]:
    """Let the body see words as they were typed, where bash asks for completions, and cut what it prints."""
    variable, wanted = ASKED
    line, place = os.environ.get("COMP_WORDS", ""), os.environ.get("COMP_CWORD", "")
    if os.environ.get(variable) != wanted or not place.isdecimal():
        yield
        return
    sign = "\n" if "\n" in line else " "
    words, there, left = put_together(line.split(sign), int(place))
    os.environ |= {"COMP_WORDS": sign.join(words), "COMP_CWORD": str(there)}
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for answer in printed.getvalue().splitlines():
            print(answer.removeprefix(left))
