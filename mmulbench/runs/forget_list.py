"""Read a list of what is to be forgotten, or a condition that says it, as a deletion request names it."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.core.item_names import ListColumns, same_name
from mmulbench.errors import UsageError, near_names, text_of
from mmulbench.files import read_regular, reason_of

if TYPE_CHECKING:
    import pandas as pd

LARGEST_LIST = 1 << 30
"""Most bytes of a list."""

DIGITS = 12
"""Hexadecimal digits of a file's digest, as they may follow its path after an ``@``."""

SEPARATORS = {".csv": ",", ".tsv": "\t"}
"""Separator of a table's columns, by the ending of its name; files of other endings have one id a line."""

UNIT_COLUMNS = ("unit", "id")
"""Names of a table's column of unit ids, besides the task's."""

_PLACE = re.compile(rf"(?P<path>.+)@(?P<digest>[0-9a-f]{{{DIGITS}}})")
_CONDITION = re.compile(r"\s*(?P<column>[^=!<>]+?)\s*==\s*(?P<value>.*?)\s*")


@dataclass(frozen=True)
class Condition:
    """Holds one condition on the training pairs.

    Attributes:
        column: name of a column, see `mmulbench.core.task.Task.pair_columns`.
        value: text that the column has to be equal to.
    """

    column: str
    value: str


@dataclass(frozen=True)
class ForgetRequest:
    """Holds how a user says what is to be forgotten: a file, or conditions that all have to hold.

    Attributes:
        file: the file; None where there are conditions.
        digest: SHA-256 of the file's content; empty where there is none.
        conditions: the conditions; empty where there is a file.
    """

    file: Path | None = None
    digest: str = ""
    conditions: tuple[Condition, ...] = ()

    @property
    def argument(self) -> str | None:
        """The file's absolute path with the digest that its content must have, as ``--forget`` takes it."""
        return None if self.file is None else f"{self.file.resolve()}@{self.digest[:DIGITS]}"


@dataclass(frozen=True)
class NamedPairs:
    """Holds the ids of a list.

    Attributes:
        units: n ids of units, as `mmulbench.core.item_names.same_name` writes them.
        partners: n ids of items of the second modality beside them; None where whole units are named.
        unread: columns of the list that say nothing of what is meant.
    """

    units: Sequence[str]
    partners: Sequence[str] | None = None
    unread: tuple[str, ...] = ()


def parse_request(file: str | None, where: Sequence[str], size: str | None) -> ForgetRequest | None:
    """Check how a user says what is to be forgotten; nothing of the data is needed.

    Args:
        file: path of a list, with or without an ``@`` and the first digits of its SHA-256.
        where: conditions such as ``person == 17``.
        size: the forget size that was asked for; None for none.

    Returns:
        The request; None where neither a list nor a condition is given.

    Raises:
        UsageError: The options contradict each other, the file is not there or has another content than it
            should, or a condition is none.
    """
    given = [name for name, value in (("--forget", file), ("--forget-where", where)) if value]
    if not given:
        return None
    if size is not None:
        raise UsageError(f"{given[0]} says itself how much is forgotten: leave out --forget-size")
    if len(given) > 1:
        raise UsageError("--forget and --forget-where both say what is forgotten: give one of them")
    if file is None:
        return ForgetRequest(conditions=tuple(map(_condition, where)))
    match = _PLACE.fullmatch(file)
    path = Path(match["path"] if match and not Path(file).exists() else file).expanduser()
    digest = sha256(_content(path)).hexdigest()
    if match and not Path(file).exists() and not digest.startswith(match["digest"]):
        raise UsageError(
            f"--forget {path} has another content than was asked for: its SHA-256 begins with "
            f"{digest[:DIGITS]}, not {match['digest']}"
        )
    return ForgetRequest(path, digest)


def fixed_list(file: str) -> str:
    """Return a list's absolute path with the start of its content's digest: they hold wherever runs are made.

    Raises:
        UsageError: The file is not there, or has another content than it should.
    """
    found = parse_request(file, (), None)
    assert found is not None and found.argument is not None
    return found.argument


def _condition(text: str) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UsageError(f"--forget-where {text!r} is no condition: write 'COLUMN == VALUE'")
    value = match["value"]
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return Condition(match["column"], value)


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST_LIST)
    except OSError as error:
        raise UsageError(
            f"--forget {path} cannot be read: {reason_of(error)}; it is a file of unit ids, one a line, or a "
            "table of the kind .csv, .tsv, .jsonl or .parquet"
        ) from error


def read_list(request: ForgetRequest, columns: ListColumns) -> NamedPairs:
    """Read the ids of a list.

    A table with a column of items of the second modality names associations, all others whole units.

    Args:
        request: the request, with a file.
        columns: what the columns of the task may be called.

    Raises:
        UsageError: It cannot be read, has another content than before, names nothing, lacks a column, or has
            several of unit ids that differ.
    """
    assert request.file is not None
    path, content = request.file, _content(request.file)
    if sha256(content).hexdigest() != request.digest:
        raise UsageError(f"--forget {path} has changed since the run was planned")
    kind = path.suffix.lower()
    if kind in (*SEPARATORS, ".jsonl", ".parquet"):
        found = _of_table(_table(content, kind, path), path, columns)
    else:
        found = NamedPairs([same_name(line) for line in _text(content, path).splitlines() if line.strip()])
    if not len(found.units):
        raise UsageError(f"--forget {path} names nothing to forget")
    return found


def _text(content: bytes, path: Path) -> str:
    """Decode UTF-8, with or without its mark, or UTF-16 with one.

    Raises:
        UsageError: It is neither.
    """
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"--forget {path}:{line}: is not UTF-8: save the list as UTF-8") from error


def _table(content: bytes, kind: str, path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if kind == ".parquet":
            return pd.read_parquet(io.BytesIO(content))
        text = io.StringIO(_text(content, path))
        if kind == ".jsonl":
            return pd.read_json(text, lines=True, dtype=False)
        return pd.read_csv(text, sep=SEPARATORS[kind], dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:  # what pandas and pyarrow raise for damaged tables
        raise UsageError(f"--forget {path} is no {kind} table: {text_of(error)}") from error


def _of_table(table: pd.DataFrame, path: Path, wanted: ListColumns) -> NamedPairs:
    columns = [str(column) for column in table.columns]
    own = [name for name in wanted.units if name in columns][:1]
    if len(columns) == 1 and path.suffix.lower() not in SEPARATORS and columns[0] not in wanted.partners:
        own = columns  # in a CSV it might be the first id of a list without a heading
    names = dict.fromkeys([*(name for name in UNIT_COLUMNS if name in columns), *own])
    if not names:
        raise UsageError(_without_units(columns, path, wanted))
    units = {name: _texts(table, name, path) for name in names}
    unit, ids = next(iter(units.items()))
    if other := next((name for name in units if units[name] != ids), None):
        raise UsageError(
            f"--forget {path} has two columns of unit ids, {unit} and {other}, which differ: keep the one "
            "that is meant"
        )
    partner = next((name for name in wanted.partners if name in columns), None)
    unread = tuple(name for name in columns if name not in units and name != partner)
    return NamedPairs(ids, None if partner is None else _texts(table, partner, path), unread)


def _without_units(columns: list[str], path: Path, wanted: ListColumns) -> str:
    allowed = list(dict.fromkeys([*UNIT_COLUMNS, *wanted.units]))
    near = near_names(columns[0], allowed)
    bare = " (a list without a heading is a .txt)" if len(columns) == 1 else ""
    return (
        f"--forget {path} has the columns {', '.join(columns)}, and none of unit ids: name it "
        f"{', '.join(allowed[:-1])} or {allowed[-1]}{bare}{near}"
    )


def _texts(table: pd.DataFrame, column: str, path: Path) -> list[str]:
    found = table[column]
    empty = (found.isna() | (found.astype(str).str.strip() == "")).to_numpy()
    if empty.any():
        raise UsageError(f"--forget {path}: row {int(empty.argmax()) + 1} has no {column}")
    return [same_name(str(value)) for value in found.tolist()]
