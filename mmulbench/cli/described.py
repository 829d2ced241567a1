"""Gather what there is to say of a method, task, backbone or metric, as JSON holds it."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmulbench.core.applicability import Reasons, reasons_by_backbone, reasons_by_method, reasons_by_task
from mmulbench.core.backbone import Backbone
from mmulbench.core.method import Method
from mmulbench.core.metric import (
    CombinedMetric,
    Metric,
    PerPathMetric,
    PopulationMetric,
    RecoveryMetric,
    UnimodalMetric,
)
from mmulbench.core.registry import BACKBONES, METHODS, METRICS, TASKS
from mmulbench.core.setting_docs import bounds_in_words, prose, settings_of
from mmulbench.core.task import Task
from mmulbench.core.training import Recipe
from mmulbench.records.record_files import read_file
from mmulbench.records.schema import Cost, RunResult
from mmulbench.records.study import tuned_default
from mmulbench.report.aggregate import RETRAIN, settings_text

Description = dict[str, Any]
"""A line, ``about`` in paragraphs, ``facts`` by name, ``settings`` by target, and further ``sections``."""


@dataclass(frozen=True)
class Places:
    """Names the folders that tell of cost and of tuned settings.

    Attributes:
        results: folder of records.
        tuned: folder of the user's own studies.
    """

    results: Path
    tuned: Path


def described(kind: str, name: str, places: Places) -> Description:
    """Return what describes something that is registered.

    Args:
        kind: ``method``, ``task``, ``backbone`` or ``metric``.
        name: its registered name.
        places: folders that tell of cost and of tuned settings.

    Raises:
        UsageError: The name is unknown.
        MmulbenchError: It cannot be imported, or a study is damaged.
    """
    if kind == "method":
        found = _method(name, METHODS.get(name), places)
    elif kind == "task":
        found = _task(name, TASKS.get(name), places)
    elif kind == "backbone":
        found = _backbone(name, BACKBONES.get(name), places)
    else:
        found = _metric(METRICS.get(name)(name))
    return {"kind": kind, "name": name, **found}


def _method(name: str, cls: type[Method], places: Places) -> Description:
    reasons = reasons_by_task(cls)
    applying = [task for task, reason in reasons.items() if reason is None]
    tuned = {task: text for task in applying if (text := _tuned(name, cls, task, places))}
    return {
        "description": METHODS.describe(name),
        "about": prose(cls),
        "facts": {"from": METHODS.module_of(name)},
        "settings": {"Settings (--set KEY=VALUE)": [one.as_json() for one in settings_of(cls.Config)]},
        "sections": {
            **({"Tuned settings, which a run starts from unless --untuned": tuned} if tuned else {}),
            **_sides(reasons, "Applies to {} of {} tasks", "Does not apply to"),
            "Cost, unlearning alone": _cost_lines(places.results, f"*/*/{name}/*.json", _ratios),
        },
    }


def _task(name: str, cls: type[Task], places: Places) -> Description:
    task = cls()
    serving = [family for family, reason in reasons_by_backbone(task).items() if reason is None]
    size = f"{task.forget_fraction:.0%} of the training units"
    if task.forget_count:
        size = f"{task.forget_count:,} units; {size} where there are few"
    facts = {
        "from": TASKS.module_of(name),
        "pairs": " with ".join(task.modalities),
        "kind": task.shape.kind + (f": {', '.join(task.classes)}" if task.classes else ""),
        "backbones": f"{', '.join(serving)}; by default {task.default_backbone}",
        "forget unit": "an item of the first modality with all its pairs",
        "forget size": f"{size} by default",
    }
    if task.info is not None:
        facts |= {"data": task.info.about, "terms": task.info.terms}
    recipe = [{**one.as_json(), "default": getattr(task.recipe, one.name)} for one in settings_of(Recipe)]
    return {
        "description": TASKS.describe(name),
        "about": prose(cls),
        "facts": facts,
        "settings": {
            "Settings (--set task.KEY=VALUE)": [one.as_json() for one in settings_of(cls.Config)],
            "Recipe of the original and retrain (--set recipe.KEY=VALUE)": recipe,
        },
        "sections": {
            **_sides(reasons_by_method(name), "Methods that apply: {} of {}", "Methods that do not apply"),
            "Cost of retraining": _cost_lines(places.results, f"{name}/*/{RETRAIN}/*.json", _whole),
        },
    }


def _backbone(name: str, cls: type[Backbone], places: Places) -> Description:
    variants = {
        f"{name}:{variant}": settings_text(
            {key: str(value) for key, value in dataclasses.asdict(config).items()}
        )
        for variant, config in cls.variants.items()
    }
    serving = {task: _serves(name, TASKS.get(task)()) for task in TASKS.names()}
    reads = cls.from_checkpoint.__func__ is not Backbone.from_checkpoint.__func__  # type: ignore[attr-defined]
    return {
        "description": BACKBONES.describe(name),
        "about": prose(cls),
        "facts": {
            "from": BACKBONES.module_of(name),
            "reads": " and ".join(cls.modalities),
            "serves": ", ".join(cls.serves),
            "checkpoints": f"{name}:PATH or {name}:OWNER/NAME" if reads else "reads none",
        },
        "settings": {},
        "sections": {
            "Variants, the default first": variants,
            **_sides(serving, "Serves {} of {} tasks", "Does not serve"),
            "Cost of retraining": _cost_lines(places.results, f"*/{name}-*/{RETRAIN}/*.json", _whole),
        },
    }


def _serves(family: str, task: Task) -> str | None:
    return reasons_by_backbone(task)[family]


def _metric(metric: Metric) -> Description:
    needs = {name.replace("_", " "): of for name, of in dataclasses.asdict(metric.needs).items() if of}
    reads = [name if of is True else f"{name} of {', '.join(of)}" for name, of in needs.items()]
    return {
        "description": metric.title,
        "about": f"{metric.definition[:1].upper()}{metric.definition[1:].rstrip('.')}.",
        "facts": {
            "from": METRICS.module_of(metric.name),
            "good": metric.direction.replace("_", " "),
            "values": bounds_in_words(*metric.bounds),
            "by chance": "depends on the data" if metric.chance is None else f"{metric.chance:g}",
            "measured": _measured(metric),
            "reads": "; ".join(reads),
            "column": "yes" if metric.has_headline else "no: it is a detail of a record",
            "source": metric.source,
            "cost": _metric_cost(metric),
        },
        "settings": {},
        "sections": {},
    }


def _measured(metric: Metric) -> str:
    if isinstance(metric, PerPathMetric):
        return "on each association path; a model's value is its worst path's"
    if isinstance(metric, UnimodalMetric):
        return "on each modality; a model's value is that of the modality with the smallest"
    return "once for a model"


def _metric_cost(metric: Metric) -> str:
    if isinstance(metric, PopulationMetric):
        return (
            f"shadow models: run --shadows N trains N originals and retrains and unlearns N times, "
            f"N at least {metric.fewest_models - 1}"
        )
    if isinstance(metric, RecoveryMetric):
        return (
            f"training: evaluate RECORD --metrics {metric.name} trains the model, original and retrain "
            f"{metric.steps[-1]} steps each, and measures losses {len(metric.steps)} times"
        )
    if isinstance(metric, CombinedMetric):
        return "none: it is computed from other values"
    return "none besides a run's evaluation"


def _sides(reasons: Reasons, those: str, others: str) -> dict[str, Any]:
    """Return the names that nothing speaks against, and the others with the reasons.

    Args:
        reasons: by name, why not.
        those: title of the first, with places for their number and that of all.
        others: title of the others.
    """
    named = [name for name, reason in reasons.items() if reason is None]
    refused = {name: reason for name, reason in reasons.items() if reason is not None}
    found: dict[str, Any] = {those.format(len(named), len(reasons)): [", ".join(named) or "none"]}
    return {**found, **({others: refused} if refused else {})}


def _tuned(name: str, cls: type[Method], task: str, places: Places) -> str:
    """Say what a run of a method on a task starts from, where that is not the method's own; else nothing."""
    configured, own = TASKS.get(task)(), cls.Config()
    studies = configured.study_places(task, configured.default_backbone)
    found = tuned_default(studies, name, own, places.tuned, lambda stale: None)
    if found is None or found.config == own:
        return ""
    changed = {
        key: getattr(found.config, key)
        for key in vars(own)
        if getattr(found.config, key) != getattr(own, key)
    }
    return f"{settings_text(changed)} (study {found.tuning.study_id} of {found.tuning.task})"


def _cost_lines(results: Path, pattern: str, said: Any) -> list[str]:
    """Say what runs cost by task and backbone, from the records that there are."""
    groups: dict[str, list[Cost]] = {}
    for path in sorted(results.glob(pattern)):
        record = read_file(path)
        if isinstance(record, RunResult) and record.cost is not None:
            groups.setdefault(f"{record.spec.task} with {record.spec.backbone}", []).append(record.cost)
    lines = [f"{place}: {said(costs)} (median of {len(costs)} records)" for place, costs in groups.items()]
    return lines or [f"no records in {results} tell it yet"]


def _ratios(costs: Iterable[Cost]) -> str:
    found = list(costs)
    times = [cost.seconds_ratio for cost in found if cost.seconds_ratio is not None]
    flops = [cost.flops_ratio for cost in found if cost.flops_ratio is not None]
    parts = [f"{_median(times):.3f} of retrain's time"] if times else [f"{_seconds(found)} s"]
    parts += [f"{_median(flops):.3f} of its FLOPs"] if flops else []
    return ", ".join(parts)


def _whole(costs: Iterable[Cost]) -> str:
    found = list(costs)
    flops = [cost.flops for cost in found if cost.flops is not None]
    return f"{_seconds(found)} s" + (f", {_median(flops):.3g} FLOPs" if flops else "")


def _seconds(costs: Iterable[Cost]) -> str:
    return f"{_median([cost.seconds for cost in costs]):,.0f}"


def _median(numbers: Iterable[float]) -> float:
    return statistics.median(numbers)
