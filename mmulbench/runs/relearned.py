"""Models of a run that are trained on half of the forget set again, found in the cache by their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from mmulbench.cache.entry import Artifact
from mmulbench.core.metric import RecoveryMetric
from mmulbench.core.model import MultimodalModel
from mmulbench.core.observations import ByPath
from mmulbench.errors import Diverged, NotApplicable
from mmulbench.evaluation.recovery import RATE, Relearning, recovery_values, relearned_losses, units_to_show
from mmulbench.records.schema import METRIC_VERSION, Value
from mmulbench.runs.measurements import by_path_of, digest_of_sets, tensors_of
from mmulbench.runs.references import weights_digest
from mmulbench.runs.scenario import Scenario

KIND = "relearned"


def judged_by_recovery(
    scenario: Scenario, models: Mapping[str, MultimodalModel], metrics: Sequence[RecoveryMetric]
) -> tuple[dict[str, Value], list[str]]:
    """Return what a run's models tell when they are trained on half of the forget set again.

    Args:
        scenario: forget set and seed.
        models: ``model``, ``original`` and ``retrain``; they stay as they are.
        metrics: metrics to compute.

    Returns:
        Values by name; and what is missing, one line each: everything, if a model diverged.
    """
    names = ", ".join(metric.name for metric in metrics)
    forget = scenario.sets.splits["forget"]
    try:
        units = units_to_show(forget.units, scenario.seed)
    except NotApplicable as reason:
        return {}, [f"{names}: {reason}"]
    sets = {name: scenario.sets.splits[name] for name in ("test", "forget")}
    relearning = Relearning(
        scenario.prepared.pairs(forget.only(units), "pair"),
        replace(scenario.sets, splits=sets, galleries={}),
        scenario.prepared.recipe,
        scenario.seed,
    )
    steps = sorted({step for metric in metrics for step in metric.steps})
    found = {}
    for name, model in models.items():
        try:
            found[name] = _load(scenario, model, relearning, steps)
        except Diverged as error:
            which = "the unlearned model" if name == "model" else name
            return {}, [f"{names}: {which} diverged while it was trained again: {error}"]
    shown = np.isin(forget.first, units)
    return recovery_values(metrics, found, shown, tuple(models["model"].paths))


def _load(
    scenario: Scenario, model: MultimodalModel, relearning: Relearning, steps: Sequence[int]
) -> dict[int, ByPath]:
    """Load from the cache what becomes of a model, or train it; equal models are trained once.

    Raises:
        Diverged: It diverges.
    """
    workspace = scenario.prepared.workspace
    inputs = {
        **scenario.prepared.key,
        "weights": weights_digest(model),
        "sets": digest_of_sets(relearning.sets),
        "recipe": asdict(relearning.recipe),
        "rate": RATE,
        "steps": list(steps),
        "seed": relearning.seed,
        "metric_version": METRIC_VERSION,
    }

    def build() -> Artifact:
        by_steps = relearned_losses(model, relearning, steps, workspace.progress)
        tensors = {
            f"{step}/{name}": tensor
            for step, one in by_steps.items()
            for name, tensor in tensors_of(one).items()
        }
        return Artifact(tensors, {})

    tensors = workspace.cache.get_or_build(KIND, inputs, build).tensors
    return {
        step: by_path_of(
            {
                name.partition("/")[2]: one
                for name, one in tensors.items()
                if name.partition("/")[0] == str(step)
            }
        )
        for step in steps
    }
