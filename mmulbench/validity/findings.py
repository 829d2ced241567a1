"""Say what is found when a record is checked: a fault, or what cannot be checked here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmulbench.plain_text import one_line

LONGEST = 160
"""Largest number of characters that are shown of what a file holds."""


@dataclass(frozen=True)
class Finding:
    """Describes one fault of a record, or one thing that cannot be checked.

    Attributes:
        field: what is concerned, such as ``values.test.value``.
        wrong: what is wrong with it, or why it cannot be checked.
        expected: what it should be; empty where it cannot be checked.
    """

    field: str
    wrong: str
    expected: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether it is known to be wrong."""
        return bool(self.expected)

    @property
    def text(self) -> str:
        """The finding in one line."""
        if not self.is_fault:
            return f"{one_line(self.field)} cannot be checked: {one_line(self.wrong)}"
        return f"{one_line(self.field)} {one_line(self.wrong)}; it should be {one_line(self.expected)}"


def shown(value: object) -> str:
    """Return what a file holds as text of bearable length.

    Args:
        value: a number, a text or nothing.
    """
    if value is None:
        return "null"
    text = one_line(f"{value:.10g}" if isinstance(value, float) else str(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def in_one_line(found: Sequence[Finding]) -> str | None:
    """Say in one line what is found; None where nothing is.

    Args:
        found: what is found, the first of which is said.
    """
    if not found:
        return None
    more = f" (and {len(found) - 1} more: mmulbench validate)" if len(found) > 1 else ""
    return f"{found[0].text}{more}"
