"""Print what there is, one line each (``mmulbench list``); only metrics and plug-in files are imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import BACKBONES, METHODS, TASKS, Registry
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.plain_text import one_line


def entries(what: str) -> list[dict[str, str]]:
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
    registries: dict[str, Registry[object]] = {"tasks": TASKS, "methods": METHODS, "backbones": BACKBONES}  # type: ignore[dict-item]
    registry = registries[what]
    return [{"name": name, "description": registry.describe(name)} for name in registry.names()]


def print_list(what: str, plugins: Sequence[Path], *, as_json: bool) -> None:
    """Print a list as a table, or as JSON, with what plug-in files add to it.

    Args:
        what: ``tasks``, ``methods``, ``backbones`` or ``metrics``.
        plugins: plug-in files to load first.
        as_json: whether JSON is printed.
    """
    load_plugins(plugins)
    found = entries(what)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    for entry in found:
        direction = {"direction": entry["direction"].replace("_", " ")} if "direction" in entry else {}
        description = escape(one_line(entry["description"]))
        table.add_row(f"[bold]{entry['name']}[/bold]", *direction.values(), description)
    Console().print(table)
