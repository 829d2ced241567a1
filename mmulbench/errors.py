"""The two kinds of failure a user can meet, errors as one line of text, and how names are suggested."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable

LONGEST_TEXT = 300
"""Largest number of characters that are kept of what a library's error says."""


class MmulbenchError(Exception):
    """Tells of a failure with a one-line message for the user; exit code 1."""

    exit_code = 1


class UsageError(MmulbenchError):
    """Tells of wrong use: an unknown name, a bad value, missing data or packages; exit code 2."""

    exit_code = 2


class Diverged(MmulbenchError):
    """Tells that a loss became NaN or infinite; the run is recorded as diverged."""


class OverBudget(MmulbenchError):
    """Tells that a method spent more than it was given; only tuning sets a limit."""


class NotApplicable(MmulbenchError):
    """Tells that a method, or a metric, has no meaning for a task, model or data; the reason is recorded.

    Of a method it is the reason why the run has no numbers, for what `Method.applies_to` cannot know, such as
    what the model has. Of a metric it is the reason why the run has all numbers but this one.
    """


def text_of(error: BaseException) -> str:
    """Return what a library's error says, in one line of bearable length, or else its type's name."""
    return " ".join(str(error).split())[:LONGEST_TEXT] or type(error).__name__


def described(error: BaseException) -> str:
    """Return an error in one line: ``ValueError: what it says``."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def traceback_of(error: BaseException) -> str:
    """Return the whole traceback of an error, with those of its causes, as Python prints it."""
    return "".join(traceback.format_exception(error))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say which known names are nearest to ``name``.

    Args:
        name: What the user typed.
        known: The valid names.

    Returns:
        ``"; did you mean A or B?"`` where something is near, else ``"; known: A, B, …"``.
    """
    names = sorted(known)
    rest = f"; known: {', '.join(names)}" if names else "; none are known"
    return near_names(name, names) or rest


def near_names(name: str, known: Iterable[str]) -> str:
    """Say which known names are nearest to ``name``, where there are too many to name them all.

    Args:
        name: What the user typed.
        known: The valid names.

    Returns:
        ``"; did you mean A or B?"``; empty where nothing is near.
    """
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""
