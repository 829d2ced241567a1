"""Name the rows of a table shortly: ``mmul (tuned)``, ``mmul, default``, ``mmul, no UKR``."""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from mmulbench.core.descriptions import described_settings
from mmulbench.core.registry import METHODS
from mmulbench.records.schema import Scalar
from mmulbench.report.aggregate import LABELS, MethodRow, settings_text

SWITCH = re.compile(r"(?:weight of )?(?:the )?([^;,.]+); 0 switches it off")
"""What methods say of a setting that takes a term out of their loss."""


def short_names(rows: Iterable[MethodRow], competing: Iterable[MethodRow]) -> dict[str, str]:
    """Return a short name of each row by its label; no two rows have the same.

    Args:
        rows: the rows of a table.
        competing: those that stand for their methods.
    """
    rows, main = [row for row in rows if row.records], {row.label for row in competing}
    bases: defaultdict[str, list[MethodRow]] = defaultdict(list)
    for row in rows:
        if row.is_tuned or row.is_default:
            bases[row.method].append(row)
    names = {row.label: _name(row, bases[row.method], main) for row in rows}
    often = Counter(names.values())
    return {label: name if often[name] == 1 else label for label, name in names.items()}


def _name(row: MethodRow, bases: Sequence[MethodRow], main: set[str]) -> str:
    method = LABELS.get(row.method, row.method)
    if row.is_reference or row.is_outside:
        return row.label
    if row.label in main:
        return f"{method} (tuned)" if row.is_tuned else method
    if row.is_default:
        return f"{method}, default"
    if not bases:
        return row.label
    base = min(bases, key=lambda one: (len(_changes(row, one)), one.label not in main, one.label))
    changes = _changes(row, base)
    said = ", ".join(_said(row.method, name, value) for name, value in sorted(changes.items()))
    start = method if base.label in main else f"{method}, default"
    return f"{start}, {said}" if said else row.label


def _changes(row: MethodRow, base: MethodRow) -> dict[str, Scalar]:
    """Return the settings of a row that differ from those of another."""
    own, other = row.records[0].spec.config, base.records[0].spec.config
    return {name: value for name, value in own.items() if name not in other or other[name] != value}


def _said(method: str, name: str, value: Scalar) -> str:
    """Say a change: a term that is switched off by its initials, others as they are set."""
    off = _switches(method, METHODS.changes).get(name)
    if off is not None and value == 0:
        return f"no {off}"
    return settings_text({name: value})


@functools.cache
def _switches(method: str, _changes: int) -> Mapping[str, str]:
    """Return the terms that settings of a method switch off, by the setting, as their initials.

    Args:
        method: name of the method.
        _changes: number of changes of the registry, since an answer holds until the next.
    """
    path = METHODS.source_of(method) if method in METHODS.names() else None
    meanings = {} if path is None else described_settings(path)
    found = {name: SWITCH.search(meaning) for name, meaning in meanings.items()}
    return {name: _initials(term[1]) for name, term in found.items() if term is not None}


def _initials(term: str) -> str:
    """Shorten a term of several words to its initials.

    Example:
        >>> _initials("unimodal knowledge retention")
        'UKR'
    """
    words = term.split()
    return "".join(word[0] for word in words).upper() if len(words) > 1 else term
