"""Find the study that is stored where another is to go; it is replaced only where that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmulbench.core.run_code import changed_code
from mmulbench.errors import UsageError
from mmulbench.records.study import StaleStudy, Study, StudySpec, read_study

MOST_NAMED = 3
"""Most differences between two studies that are named one by one."""

LONGEST_FIELD = 30
"""Largest number of characters of a field that are shown."""


def stored_study(path: Path, spec: StudySpec, code: dict[str, str], *, replace: bool) -> Study | None:
    """Return the trials that are there already of a study.

    Args:
        path: file of the study.
        spec: specification of the study.
        code: digests of today's code by kind.
        replace: whether another study that is there is to be replaced.

    Returns:
        The study as far as it is made; None where it begins anew.

    Raises:
        UsageError: Another study is there, and it is not to be replaced.
        MmulbenchError: The study cannot be read.
    """
    try:
        found = read_study(path)
    except StaleStudy as stale:
        difference = stale.reason
    else:
        if found is None:
            return None
        changed = changed_code(found.code, code)
        if found.spec == spec and not changed:
            return found
        if found.spec == spec:
            difference = f"is of other code of {' and '.join(changed)}"
        else:
            difference = f"is of {differences(found.spec, spec)}"
    if replace:
        return None
    raise UsageError(
        f"the study {path} {difference}: --replace replaces it, --tuned-dir with another folder keeps it"
    )


def differences(found: StudySpec, wanted: StudySpec) -> str:
    """Say what a study has otherwise than another: ``budget 0.5 (wanted: 0.4), recipe.epochs 5 (wanted: 1)``.

    Args:
        found: specification of the study that is there.
        wanted: specification of the study that is asked for.
    """
    old, new = _flat(found), _flat(wanted)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    texts = [f"{name} {_text(old, name)} (wanted: {_text(new, name)})" for name in names[:MOST_NAMED]]
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return ", ".join([*texts, *more])


def _flat(spec: StudySpec) -> dict[str, Any]:
    """Return the fields of a specification by name, and those of its mappings as ``recipe.epochs``."""
    flat: dict[str, Any] = {}
    for name, value in spec.model_dump(mode="json").items():
        if isinstance(value, dict):
            flat |= {f"{name.removesuffix('_config')}.{key}": part for key, part in value.items()}
        else:
            flat[name] = value
    return flat


def _text(fields: dict[str, Any], name: str) -> str:
    """Write a field in few characters, of a digest or a list the first ones."""
    text = str(fields.get(name, "none"))
    return text if len(text) <= LONGEST_FIELD else f"{text[:12]}…"
