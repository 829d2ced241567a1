"""Write the tables of methods, tasks, backbones and metrics from their registries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmulbench.cli.list_output import entries
from mmulbench.core.backbone import Backbone
from mmulbench.core.metric import Metric
from mmulbench.core.registry import BACKBONES, METHODS, TASKS
from mmulbench.core.setting_docs import bounds_in_words, prose, settings_of
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.records.schema import RunResult


def methods() -> str:
    """Return a section for each method: what it does, its formula and its settings."""
    return "\n\n".join(_method(entry["name"], entry["description"]) for entry in entries("methods"))


def tasks() -> str:
    """Return a section for each task: what it asks, what is forgotten, and what its data is."""
    return "\n\n".join(_task(entry["name"], entry["description"]) for entry in entries("tasks"))


def backbones() -> str:
    """Return the table of backbones: what each is, what it reads, what it can be built for, its variants."""
    rows = []
    for entry in entries("backbones"):
        backbone: type[Backbone] = BACKBONES.get(entry["name"])
        variants = ", ".join(f"`{entry['name']}:{variant}`" for variant in backbone.variants)
        reads = " and ".join(backbone.modalities)
        row = (f"`{entry['name']}`", entry["description"], reads, ", ".join(backbone.serves), variants)
        rows.append(row)
    return table(("Family", "What it is", "Reads", "Serves", "Variants, the default first"), rows)


def metrics() -> str:
    """Return a section for each metric: what it measures, what is good, what it reads and its source."""
    return "\n\n".join(_metric(metric) for metric in all_metrics())


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table.

    Args:
        head: titles of the columns.
        rows: cells of each row, as many as there are titles.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(" ".join(cell.split()) for cell in line) + " |" for line in lines)


def _method(name: str, description: str) -> str:
    method = METHODS.get(name)
    lines = [f"## `{name}` {{ #{name} }}", "", description, "", prose(method), ""]
    lines += [f"File: [methods/{name}.py](../../methods/{name}.py).", ""]
    settings = settings_of(method.Config)
    if settings:
        rows = [
            (f"`{one.name}`", f"`{one.default}`", one.searched, _escaped(one.meaning)) for one in settings
        ]
        lines += [table(("Setting", "Default", "Tuning looks in", "Meaning"), rows)]
    else:
        lines += ["It has no settings."]
    return "\n".join(lines)


def _metric(metric: Metric) -> str:
    rows = [("Good", metric.direction.replace("_", " ")), ("Values", _values(metric))]
    if metric.chance is not None:
        rows += [("Chance level", f"{metric.chance:g}")]
    rows += [
        ("Reads", "; ".join(_reads(what, of) for what, of in dataclasses.asdict(metric.needs).items() if of)),
        ("Column of its own", "yes" if metric.has_headline else "no: it is a detail of a record"),
        ("Source", _escaped(metric.source)),
    ]
    file = f"mmulbench/metrics/catalogue/{metric.name}.py"
    lines = [f"## `{metric.name}`: {metric.title} {{ #{metric.name} }}", "", _sentence(metric.definition), ""]
    lines += [table(("", ""), rows), "", f"File: [{file}](../../{file})."]
    return "\n".join(lines)


def _values(metric: Metric) -> str:
    """Say in which range a metric's values lie, and those of details where it is another."""
    ranges = {"": metric.bounds, **metric.part_bounds}
    texts = [f"`{part}` " * bool(part) + bounds_in_words(*bounds) for part, bounds in ranges.items()]
    return "; ".join(texts)


def _reads(what: str, of: tuple[str, ...] | bool) -> str:
    """Say what a metric reads, and of which sets where it says so."""
    name = what.replace("_", " ")
    return f"{name} outputs of each modality" if isinstance(of, bool) else f"{name}: {', '.join(of)}"


def _task(name: str, description: str) -> str:
    task = TASKS.get(name)
    rows = [
        ("Pairs", " with ".join(task.modalities)),
        ("Kind", f"classes: {', '.join(task.classes)}" if task.classes else "retrieval"),
        ("Default backbone", f"`{task.default_backbone}`"),
        ("Default forget size", _forget_size(task.forget_count, task.forget_fraction)),
    ]
    info = task.info
    if info is not None:
        rows += [
            ("Data", _escaped(info.about)),
            ("Terms", _escaped(info.terms)),
            ("In the data folder", _layout(info.layout)),
        ]
    lines = [f"## `{name}` {{ #{name} }}", "", description, "", prose(task), ""]
    lines += [table(("", ""), rows), "", f"File: [tasks/{name}.py](../../tasks/{name}.py)."]
    return "\n".join(lines)


def _forget_size(count: int | None, fraction: float) -> str:
    share = f"{fraction:.0%} of the training units"
    return f"{count:,} units; {share} where there are few" if count else share


def _layout(layout: Sequence[str]) -> str:
    if not layout:
        return "nothing: it comes with installed packages"
    return "<br>".join(_escaped(line.strip()) for line in layout)


def _escaped(text: str) -> str:
    """Return text for a cell, in which a bar, braces and stars mean themselves."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def record() -> str:
    """Return a table for each part of a record: its fields and what each means, from the JSON schema."""
    schema = RunResult.model_json_schema()
    parts = {"RunResult": schema, **schema["$defs"]}
    sections = []
    for name, part in parts.items():
        rows = [(f"`{key}`", _kind(field), _meaning(field)) for key, field in part["properties"].items()]
        fields = table(("Field", "Holds", "Meaning"), rows)
        sections.append(f"### {name}\n\n{part['description']}\n\n{fields}")
    return "\n\n".join(sections)


def _kind(field: Mapping[str, Any]) -> str:
    """Return what a field holds: a type of JSON, or a link to the part of the record that it is."""
    if "anyOf" in field:
        kinds = (_kind(one) for one in field["anyOf"])
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in field:
        part = field["$ref"].rpartition("/")[2]
        return f"[{part}](#{part.lower()})"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if isinstance(inner := field.get("items", field.get("additionalProperties")), dict):
        return f"{field['type']} of {_kind(inner)}"
    return str(field.get("format", field.get("type", "anything")))


def _meaning(field: Mapping[str, Any]) -> str:
    return _escaped(field.get("description", ""))
