"""Write tables for programs: as CSV, one row for each line of a table, and as JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from mmulbench.plain_text import one_line
from mmulbench.report.answer import answer
from mmulbench.report.noise_floor import GAP
from mmulbench.report.page import PageLook, Tables
from mmulbench.report.standing import Line, Measure, Standing
from mmulbench.report.standing_view import viewed
from mmulbench.report.style import no_formula

Cell = str | int | float | None


def csv_form(tables: Tables, look: PageLook) -> str:
    """Return all lines of all tables as CSV; wide with all values that are shown.

    Args:
        tables: the tables.
        look: what is shown.

    Raises:
        UsageError: No table has a method or a value that the view names.
    """
    found = viewed([table.standing for table in tables.texts], look.view)
    rows = [row for standing in found for row in _rows(standing, wide=look.view.wide)]
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["task"]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: no_formula(cell) for name, cell in row.items()} for row in rows)
    return out.getvalue()


def _rows(standing: Standing, *, wide: bool) -> list[dict[str, Cell]]:
    """Return a row for each line, then one for each method that does not apply."""
    rows = [{**_of_table(standing), **_of_line(line, standing, wide=wide)} for line in standing.lines]
    gone = [
        {**_of_table(standing), "block": "not applicable", "method": name, "name": name, "verdict": "N/A"}
        | {"note": reason}
        for name, reason in standing.not_applicable
    ]
    return [*rows, *gone]


def _of_table(standing: Standing) -> dict[str, Cell]:
    key = standing.key
    return {
        "task": one_line(key.task),
        "backbone": one_line(key.backbone),
        "forget": one_line(key.forget_text),
        "metric_version": key.metric_version,
        "recipe_version": key.recipe_version,
        "data": key.data_fingerprint[:8],
    }


def _of_line(line: Line, standing: Standing, *, wide: bool) -> dict[str, Cell]:
    gap, attack = line.measures.get(GAP), line.measures.get(line.worst)
    test = line.measures.get("test")
    row: dict[str, Cell] = {
        "block": line.block,
        "rank": line.rank,
        "method": line.method,
        "name": line.name,
        "verdict": line.verdict,
        "gap": _number(gap, "mean"),
        "gap_low": _number(gap, "low"),
        "gap_high": _number(gap, "high"),
        "attack_path": line.worst.partition("/")[2],
        "attack": _number(attack, "mean"),
        "attack_retrain": _number(attack, "retrain"),
        "test": _number(test, "mean"),
        "test_difference": _number(test, "difference"),
        "time_ratio": _number(line.ratio, "mean"),
        "seconds": _number(line.seconds, "mean"),
        "lost_utility": line.out,
        "settings": line.tuned,
        "seeds": line.seeds,
        "note": line.absent,
    }
    if wide and (found := line.shadows) is not None:
        row |= {"shadow_models": found.models, "u_lira_path": found.path, "u_lira_forget": found.forget}
        row |= {"u_lira_low": found.low, "u_lira_high": found.high, "u_lira_test": found.test}
    for column in standing.columns if wide else ():
        measure = line.measures.get(column.name)
        name = no_formula(one_line(column.name))
        row |= {name: _number(measure, "mean"), f"{name}.sd": _number(measure, "sd")}
        row |= {f"{name}.distance": _number(measure, "distance")}
    return row


def _number(measure: Measure | None, field: str) -> float | None:
    number: float | None = None if measure is None else getattr(measure, field)
    return number


def json_form(tables: Tables, look: PageLook) -> str:
    """Return all that is known of all lines as JSON.

    Args:
        tables: the tables.
        look: what is shown.

    Raises:
        UsageError: No table has a method or a value that the view names.
    """
    found = viewed([table.standing for table in tables.texts], look.view)
    content = {
        "command": look.command,
        "tables": [_as_json(standing) for standing in found],
        "overall": None if tables.overall is None else asdict(tables.overall),
        "left_out": [{"path": str(one.path), "reason": one_line(one.reason)} for one in tables.left_out],
    }
    return json.dumps(content, indent=1) + "\n"


def _as_json(standing: Standing) -> dict[str, Any]:
    return {
        **_of_table(standing),
        "seeds": list(standing.seeds),
        "answer": answer(standing),
        "noise_floor": standing.floor,
        "why_not_ranked": standing.why_not,
        "untaught_paths": {path: list(seeds) for path, seeds in standing.untaught.items()},
        "lines": [asdict(line) for line in standing.lines],
        "not_applicable": dict(standing.not_applicable),
        "missing": list(standing.missing),
    }
