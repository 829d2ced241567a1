"""The two kinds of failure a user can meet, and how names are suggested."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MmulbenchError(Exception):
    """A failure with a one-line message for the user; exit code 1."""

    exit_code = 1


class UsageError(MmulbenchError):
    """Wrong use: an unknown name, a bad value, missing data or packages; exit code 2."""

    exit_code = 2


class Diverged(MmulbenchError):
    """A loss became NaN or infinite; the run is recorded as diverged."""


class OverBudget(MmulbenchError):
    """A method spent more than it was given; only tuning sets a limit."""


class NotApplicable(MmulbenchError):
    """A method has no meaning for a task or model; the run is recorded as not applicable, with this reason.

    For what `Method.applies_to` cannot know, such as what the model has.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say which known names are nearest to ``name``.

    Args:
        name: What the user typed.
        known: The valid names.

    Returns:
        ``"; did you mean A or B?"`` where something is near, else ``"; known: A, B, …"``.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; known: {', '.join(names)}" if names else "; none are known"
