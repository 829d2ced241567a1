"""Write numbers, times and settings as the audit shows them; everything is plain text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from mmulbench.report.cells import number

ABSENT = "–"
"""What stands where there is no number."""


class Fact(NamedTuple):
    """Holds one line of a list of facts.

    Attributes:
        label: what it is about.
        text: what is said of it.
        is_code: whether it is something to be typed or compared letter by letter.
    """

    label: str
    text: str
    is_code: bool = False


def share(value: float | None, decimals: int = 3) -> str:
    """Write a number; a dash where there is none.

    Args:
        value: the number.
        decimals: digits shown.

    Example:
        >>> share(0.78956), share(-1.5, 1), share(None)
        ('0.790', '−1.5', '–')
    """
    return ABSENT if value is None else number(value, decimals)


def interval(low: float | None, high: float | None) -> str:
    """Write the ends of an interval; a dash where one is not known.

    Args:
        low: lower end.
        high: upper end.

    Example:
        >>> interval(0.75, 0.8), interval(None, 1.0)
        ('0.750 to 0.800', '–')
    """
    return ABSENT if low is None or high is None else f"{share(low)} to {share(high)}"


def seconds(value: float) -> str:
    """Write a duration in the unit that is read best.

    Example:
        >>> seconds(8.59), seconds(130), seconds(7300)
        ('8.6 seconds', '2.2 minutes', '2.0 hours')
    """
    for unit, length in (("hours", 3600.0), ("minutes", 60.0)):
        if value >= 1.5 * length:
            return f"{value / length:,.1f} {unit}"
    return f"{value:,.1f} seconds"


def moment(time: datetime) -> str:
    """Write a time as date and time of day, in UTC.

    Example:
        >>> moment(datetime(2026, 11, 27, 12, 36, 15, tzinfo=UTC))
        '27 November 2026, 12:36 UTC'
    """
    found = time.astimezone(UTC)
    return f"{found.day} {_MONTHS[found.month - 1]} {found:%Y, %H:%M} UTC"


def counted(count: int, what: str) -> str:
    """Write a number of things.

    Args:
        count: how many there are.
        what: name of one.

    Example:
        >>> counted(1, "pair"), counted(1200, "pair")
        ('1 pair', '1,200 pairs')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
"""Names of the months, which the C library gives in the language of the machine."""
