"""Make a record safe to show: texts in it are of a file, which anybody may have written."""

from __future__ import annotations

from typing import Any

from mmulbench.plain_text import one_line
from mmulbench.records.schema import RunResult


def printable(record: RunResult) -> RunResult:
    """Return a record with every text and name in one line, without control characters; to be shown alone."""
    fields = record.model_dump()
    safe = _cleaned(fields)
    return record if safe == fields else RunResult.model_validate(safe)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not isinstance(next(iter(value), None), float | int):
        return type(value)(_cleaned(item) for item in value)
    return value
