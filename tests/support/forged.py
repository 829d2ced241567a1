"""A committed record, as it is and with single fields forged."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

from mmulbench.records.schema import RunResult, RunSpec
from mmulbench.records.store import ResultsStore

RESULTS = Path(__file__).resolve().parents[2] / "results"

ADDED = "relearn"
"""Metric that was added to committed records after their runs."""

LATER = ("added", "weights")
"""Fields that such records have besides."""


@functools.cache
def _committed(method: str) -> dict[str, Any]:
    paths = sorted((RESULTS / "emoji" / "albef-packaged" / method).glob("*-42-*.json"))
    found: list[dict[str, Any]] = [json.loads(path.read_bytes()) for path in paths]
    fields = next((one for one in found if one.get("tuning") is None), None)
    if fields is None:  # the search came to the method's own settings
        origins = {
            key: "default" if of.startswith("study") else of for key, of in found[0]["origins"].items()
        }
        fields = {**found[0], "tuning": None, "origins": origins}
    values = {name: one for name, one in fields["values"].items() if name.partition("/")[0] != ADDED}
    return {key: one for key, one in fields.items() if key not in LATER} | {"values": values}


def committed(method: str = "mmul") -> dict[str, Any]:
    """Return the fields of a method's record on emoji for seed 42, as a run by its own settings left it."""
    return copy.deepcopy(_committed(method))


def forged_fields(changes: dict[str, Any], method: str = "mmul") -> dict[str, Any]:
    """Return a committed record's fields with some changed.

    Args:
        changes: new values by place, such as ``values.test.value``; the run id follows the specification,
            unless it is changed itself.
        method: whose record.
    """
    fields = committed(method)
    for place, value in changes.items():
        *above, last = place.split(".")
        inner = fields
        for name in above:
            inner = inner[int(name)] if isinstance(inner, list) else inner[name]
        inner[int(last) if isinstance(inner, list) else last] = value
    if "run_id" not in changes:
        fields["run_id"] = RunSpec.model_validate(fields["spec"]).run_id
    return fields


def forged(changes: dict[str, Any], method: str = "mmul") -> RunResult:
    """Return a committed record with some fields changed, see `forged_fields`."""
    return RunResult.model_validate(forged_fields(changes, method))


def stored(folder: Path, fields: dict[str, Any]) -> Path:
    """Write a record's fields where a results folder has it, and return the file."""
    path = ResultsStore(folder).path(RunSpec.model_validate(fields["spec"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields, indent=1) + "\n")
    return path
