"""Print what ``mmulbench validate`` finds: one line for each fault, and what could not be checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmulbench import defaults
from mmulbench.plain_text import visible
from mmulbench.progress import make_progress
from mmulbench.validity.files import Checked, check_places


def print_checked(places: Sequence[Path], *, as_json: bool) -> int:
    """Check records and print what is found.

    Args:
        places: files and folders of records.
        as_json: whether to print JSON.

    Returns:
        0 where all hold, else 1.
    """
    with make_progress(bars=not as_json) as progress:
        checked = list(check_places(places, defaults.records_cache(), progress.track))
    if as_json:
        print(json.dumps([_fields(one) for one in checked], indent=2))
    else:
        _print_lines(checked)
    return int(any(one.faults for one in checked))


def _print_lines(checked: Sequence[Checked]) -> None:
    unchecked: dict[str, int] = {}
    for one in checked:
        for fault in one.faults:
            print(f"{visible(str(one.path))}: {fault.text}")
        for finding in one.unchecked:
            unchecked[finding.text] = unchecked.get(finding.text, 0) + 1
    for text, count in unchecked.items():
        print(f"note: in {_records(count)} {text}")
    wrong = sum(bool(one.faults) for one in checked)
    of = f"{wrong} of {_records(len(checked))} " if wrong else f"{_records(len(checked))}: "
    print(f"{of}{'do not hold' if wrong > 1 else 'does not hold' if wrong else 'all hold'}")


def _records(count: int) -> str:
    return f"{count:,} record{'s' if count != 1 else ''}"


def _fields(one: Checked) -> dict[str, Any]:
    return {
        "file": str(one.path),
        "valid": not one.faults,
        "faults": [asdict(fault) for fault in one.faults],
        "unchecked": [{"field": found.field, "reason": found.wrong} for found in one.unchecked],
    }
