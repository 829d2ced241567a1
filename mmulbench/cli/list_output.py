"""Print what there is, one line each (``mmulbench list``); only metrics and plug-in files are imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import TASKS, registry_of
from mmulbench.errors import UsageError
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.plain_text import one_line


def entries(what: str) -> list[dict[str, Any]]:
    """Return what ``mmulbench list WHAT`` shows, as dictionaries with a name and a description."""
    if what == "metrics":
        return [
            {
                "name": metric.name,
                "title": metric.title,
                "direction": metric.direction,
                "description": metric.definition,
                "source": metric.source,
            }
            for metric in all_metrics()
        ]
    registry = registry_of(what.removesuffix("s"))
    return [{"name": name, "description": registry.describe(name)} for name in registry.names()]


def print_list(what: str, plugins: Sequence[Path], *, task: str | None = None, as_json: bool) -> None:
    """Print a list as a table, or as JSON, with what plug-in files add to it.

    Args:
        what: ``tasks``, ``methods``, ``backbones`` or ``metrics``.
        plugins: plug-in files to load first.
        task: task that methods or backbones shall be for; those that are not are printed with the reason.
        as_json: whether JSON is printed.

    Raises:
        UsageError: The task is unknown, or what is listed is for every task.
    """
    load_plugins(plugins)
    found = entries(what)
    if task is not None:
        reasons = _reasons(what, task)
        found = [{**entry, "applies": reasons[entry["name"]] is None} for entry in found]
        found = [
            entry if entry["applies"] else {**entry, "reason": reasons[entry["name"]]} for entry in found
        ]
    if as_json:
        print(json.dumps(found, indent=2))
        return
    from mmulbench.tables import show

    apply = [entry for entry in found if entry.get("applies", True)]
    show(_table(apply, "description"))
    if others := [entry for entry in found if not entry.get("applies", True)]:
        show("", f"Not applicable to {task}:", _table(others, "reason"))


def _reasons(what: str, task: str) -> dict[str, str | None]:
    """Say of every entry of a list why it is not for a task; None where it is."""
    if what not in ("methods", "backbones"):
        raise UsageError(f"list {what} takes no --task: it chooses among methods or backbones")
    from mmulbench.core.applicability import reasons_by_backbone, reasons_by_method

    return reasons_by_method(task) if what == "methods" else reasons_by_backbone(TASKS.get(task)())


def _verdict(reason: str | None) -> dict[str, Any]:
    return {"applies": True} if reason is None else {"applies": False, "reason": reason}


def _table(entries: Sequence[dict[str, Any]], meaning: str) -> Any:
    from rich.text import Text

    from mmulbench.tables import Column, WholeTable

    directed = any("direction" in entry for entry in entries)
    table = WholeTable([Column(), *([Column(drop=1)] if directed else []), Column(folds=True)])
    for entry in entries:
        direction = [entry["direction"].replace("_", " ")] if directed else []
        table.add_row(Text(entry["name"], style="bold"), *direction, one_line(entry[meaning]))
    return table
