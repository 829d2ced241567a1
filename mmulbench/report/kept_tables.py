"""Keep the texts of tables whose records, code and look have not changed: most do not from page to page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mmulbench.checked_json import read_checked, write_checked
from mmulbench.hashing import fingerprint
from mmulbench.records.group_key import GroupKey
from mmulbench.report.overall import Overall, overall
from mmulbench.report.page import TableText

FORMAT = 5
"""Version of the file; raised when `TableText` changes."""

OVERALL = "overall"
"""Tells what is kept of all tables from what is kept of one."""

_TEXT = TypeAdapter(TableText)
_OVERALL: TypeAdapter[Overall | None] = TypeAdapter(Overall | None)


@dataclass(frozen=True)
class Table:
    """Holds what is known of a table before its records are read.

    Attributes:
        key: what they share.
        content: digests of all that its text depends on in them.
    """

    key: GroupKey
    content: Sequence[str]


class KeptTables:
    """Gives the texts of a page's tables, those that are known without making them.

    Args:
        place: file of the texts of one page; None to keep none.
        circumstances: all that the texts depend on besides the records, as text: code, and what is shown.
    """

    def __init__(self, place: Path | None, circumstances: str) -> None:
        self._place = place
        self._circumstances = circumstances
        self._known: dict[str, str] = {} if place is None else read_checked(place, FORMAT) or {}
        self._used: dict[str, str] = {}

    def text(self, table: Table, make: Callable[[], TableText]) -> TableText:
        """Return the text of a table.

        Args:
            table: the table.
            make: reads its records and makes the text.
        """
        digest = fingerprint([self._circumstances, list(table.key), list(table.content)])
        known = self._known.get(digest)
        if known is not None:
            try:
                found = _TEXT.validate_json(known)
            except ValidationError:  # written by hand, or a number that JSON has no sign for
                found = make()
        else:
            found = make()
            known = _TEXT.dump_json(found).decode()
        self._used[digest] = known
        return found

    def overall(self, texts: Sequence[TableText]) -> Overall | None:
        """Return how methods rank over the tables that were given.

        Args:
            texts: the tables, all of them.
        """
        digest = fingerprint([OVERALL, self._circumstances, sorted(self._used)])
        known = self._known.get(digest)
        try:
            found = None if known is None else _OVERALL.validate_json(known)
        except ValidationError:
            known = None
        if known is None:
            found = overall([text.standing for text in texts])
            known = _OVERALL.dump_json(found).decode()
        self._used[digest] = known
        return found

    def save(self, *, is_whole: bool) -> None:
        """Write the texts that were given, and no others where those are all that there are.

        Args:
            is_whole: whether all tables were asked for, so that the rest are out of date.
        """
        texts = self._used if is_whole else {**self._known, **self._used}
        if self._place is not None and texts != self._known:
            write_checked(self._place, FORMAT, texts)
