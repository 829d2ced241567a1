"""Print what describes a method, task, backbone or metric, for ``mmulbench describe``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from mmulbench.cli.described import Places, described
from mmulbench.core.plugins import load_plugins
from mmulbench.tables import Column, WholeTable, show

__all__ = ["Places", "print_description"]


def print_description(
    kind: str, name: str, places: Places, plugins: Sequence[Path], *, as_json: bool
) -> None:
    """Print a description.

    Args:
        kind: ``method``, ``task``, ``backbone`` or ``metric``.
        name: registered name.
        places: folders of records and studies, which tell of cost and of tuned settings.
        plugins: plug-in files, loaded first.
        as_json: whether to print JSON.

    Raises:
        UsageError: The name is unknown.
        MmulbenchError: It cannot be imported.
    """
    load_plugins(plugins)
    found = described(kind, name, places)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    show(Text.assemble((name, "bold"), f": {found['description']}"))
    if found["about"]:
        show("", found["about"])
    if found["facts"]:
        show("", _facts(found["facts"]))
    for title, settings in found["settings"].items():
        show("", _section(title, _settings(settings)))
    for title, lines in found["sections"].items():
        show("", _section(title, _facts(lines) if isinstance(lines, Mapping) else Text("\n".join(lines))))


def _section(title: str, content: RenderableType) -> Group:
    return Group(Text(title, style="bold"), Padding(content, (0, 0, 0, 2), expand=False))


def _facts(facts: Mapping[str, str]) -> WholeTable:
    table = WholeTable((Column(), Column(folds=True)))
    for name, text in facts.items():
        table.add_row(name, text)
    return table


def _settings(settings: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Tabulate settings, and say below where their defaults come from."""
    found = list(settings)
    if not found:
        return Text("none")
    table = WholeTable(
        (
            Column("Name"),
            Column("Default"),
            Column("Allowed", drop=2, folds=True),
            Column("Tuning looks in", drop=1),
            Column("Meaning", folds=True),
        )
    )
    sources: dict[str, list[str]] = {}
    for one in found:
        table.add_row(
            one["name"], _plain(one["default"]), one["allowed"], _range(one["tuning"]), one["meaning"]
        )
        if one["source"]:
            sources.setdefault(one["source"], []).append(one["name"])
    notes = [f"{', '.join(names)}: {' '.join(source.split())}" for source, names in sources.items()]
    return Group(table, *([Text("\nWhere the defaults come from")] if notes else []), *map(Text, notes))


def _range(search: Mapping[str, Any] | None) -> str:
    if search is None:
        return "–"
    return f"{search['low']:g} to {search['high']:g}{', by ratios' if search['log'] else ''}"


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
