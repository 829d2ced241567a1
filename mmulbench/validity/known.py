"""Say of a record all that lists and tables need before they read it, and what is wrong with it."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mmulbench.core.reproduce import digest_of_plugin, read_besides
from mmulbench.errors import UsageError
from mmulbench.hashing import canonical_json
from mmulbench.records.group_key import GroupKey
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore
from mmulbench.validity.findings import Finding

GAP = "retrain_gap"
"""Metric whose value lists of records show."""


class Known(NamedTuple):
    """Holds what is known of a record by its content.

    Attributes:
        home: path below its results folder, with slashes; empty where it can have none.
        homeless: why it can have none.
        table: `GroupKey` as canonical JSON.
        headlines: directions of its headline values by name, as canonical JSON.
        besides: digest of each plug-in file that its command names, by path, as canonical JSON.
        findings: what is wrong with it and what cannot be checked, as JSON: a list of the fields of each.
        twice: names that an object of the file has twice, as a JSON list; None where nobody looked.
        units: SHA-256 of the file of scores by unit that it names; empty where it names none.
        of_units: what was found in that file, as ``findings`` has it; None where nobody looked.
        is_unchecked: whether its reference may have seen the forget set.
        run_id: its id.
        seed: seed of the run.
        method: method of the run.
        status: how the run ended.
        gap: distance to retrain; None where it is not known.
    """

    home: str
    homeless: str
    table: str
    headlines: str
    besides: str
    findings: str
    twice: str | None
    units: str
    of_units: str | None
    is_unchecked: bool
    run_id: str
    seed: int
    method: str
    status: str
    gap: float | None


NOTHING = "{}"
"""Text of no plug-in files."""

_SHARED = ("table", "headlines", "besides", "findings", "twice", "of_units", "method", "status")
SHARED = tuple(map(Known._fields.index, _SHARED))
"""Places in `Known` of texts that many records have in common; the file has each once."""


def judge(record: RunResult) -> Known:
    """Return what there is to know of a record.

    Args:
        record: a record of a valid form.
    """
    from mmulbench.validity.record import findings  # it takes long to import, mostly for nothing

    home, homeless = "", ""
    try:
        home = ResultsStore(Path()).path_of(record).as_posix()
    except UsageError as error:
        homeless = str(error)
    gap = record.values.get(GAP)
    return Known(
        home=home,
        homeless=homeless,
        table=canonical_json(GroupKey.of(record.spec)),
        headlines=canonical_json({n: value.direction for n, value in record.values.items() if "/" not in n}),
        besides=canonical_json({path: digest_of_plugin(path) for path in read_besides(record)}),
        findings=text_of(findings(record)),
        twice=None,
        units=record.units or "",
        of_units=None,
        is_unchecked=record.has_unchecked_reference,
        run_id=record.run_id,
        seed=record.spec.seed,
        method=record.spec.method,
        status=record.status,
        gap=None if gap is None else gap.value,
    )


def names_there_twice(content: bytes) -> list[str]:
    """Return the names that an object of a record's file has twice: readers take one value or the other.

    Args:
        content: content of the file, which is JSON.
    """
    twice: list[str] = []

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice.extend(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        return found

    json.loads(content, object_pairs_hook=unique)
    return twice


def text_of(found: Iterable[Finding]) -> str:
    """Return findings as `Known` holds them.

    Args:
        found: what was found.
    """
    return json.dumps([[one.field, one.wrong, one.expected] for one in found])


@functools.lru_cache(maxsize=4096)
def findings_in(text: str) -> tuple[Finding, ...]:
    """Return the findings that `Known` holds as text.

    Args:
        text: its ``findings``.
    """
    return tuple(Finding(*fields) for fields in json.loads(text))
