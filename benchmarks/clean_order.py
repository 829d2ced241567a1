"""Which predictor orders deleted pairs as retrain does: candidates for the method counterfactual.

Each candidate scores the pairs of Df without a model that was retrained; what is said is the correlation of
its scores with retrain's confidence log p / (1 - p) in the same pairs, by path, and its floating-point
operations as part of retrain's. A second retrain of another training seed tells what is possible. Nothing is
timed, so the machine may do something else.
Run: python benchmarks/clean_order.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray

from mmulbench.core.data import Integers
from mmulbench.core.encoding import ItemEncoder
from mmulbench.core.method import UnlearningProblem
from mmulbench.core.model import EncoderOutput, MultimodalModel
from mmulbench.evaluation.measure import measure_losses
from mmulbench.methods import _clean
from mmulbench.methods._confidence import original_confidences
from mmulbench.metrics.populations import confidence
from mmulbench.progress import Progress
from mmulbench.runs.open_task import choose_forget_set, open_task, resolve
from mmulbench.runs.request import Request
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.session import results_output

HERE = Path(__file__).parent
TASKS, SEEDS = ("emoji", "hpo_pgr"), (42, 87, 21)
SHORT = 0.1
"""Share of the recipe's epochs of a short retrain."""

Scores = Mapping[str, NDArray[np.float64]]


def main() -> None:
    """Measure every candidate and write the record."""
    rows = [row for task in TASKS for seed in SEEDS for row in of_seed(task, seed)]
    found: dict[str, dict[str, Any]] = {}
    for task in TASKS:
        for name in CANDIDATES:
            own_rows = [row for row in rows if (row["task"], row["candidate"]) == (task, name)]
            if own_rows:
                found.setdefault(task, {})[name] = summary(own_rows)
    record = {"torch": torch.__version__, "seeds": list(SEEDS), "tasks": found}
    text = json.dumps(record, indent=1)
    (HERE / "clean_order.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return means over seeds."""
    paths = rows[0]["correlation"]
    return {
        "correlation": {p: round(float(np.mean([row["correlation"][p] for row in rows])), 3) for p in paths},
        "flops_ratio": round(float(np.mean([row["flops_ratio"] for row in rows])), 4),
    }


def of_seed(task: str, seed: int) -> list[dict[str, Any]]:
    """Return a row for each candidate."""
    scene = scenario(task, seed)
    retrain = scene.retrain()
    truth = on_forget_set(scene, retrain.model)
    rows = []
    for name, candidate in CANDIDATES.items():
        problem = scene.problem()
        with problem.meter:
            scores = candidate(scene, problem)
        if scores is None:
            continue
        rows.append(
            {
                "task": task,
                "candidate": name,
                "correlation": {p: float(np.corrcoef(scores[p], truth[p])[0, 1]) for p in truth},
                "flops_ratio": (problem.meter.cost().flops or 0.0) / (retrain.cost.flops or 1.0),
            }
        )
        print(rows[-1], flush=True)
    return rows


def scenario(task: str, seed: int) -> Scenario:
    """Return the scene of the committed records of a seed."""
    request = Request(task=task, methods=("retrain",), device="cpu", seeds=(seed,))
    resolved = resolve(request, request, tuned=False)
    prepared = open_task(request, resolved, results_output(request), Progress())
    return Scenario(prepared, choose_forget_set(resolved, prepared.data, seed)[0], seed)


def on_forget_set(scene: Scenario, model: MultimodalModel) -> Scores:
    """Return a model's confidence in the pairs of Df by path."""
    losses = measure_losses(model, scene.sampled_sets, Progress())
    return {path: confidence(of_set["forget"]) for path, of_set in losses.items()}


def own(scene: Scenario, problem: UnlearningProblem) -> Scores:
    """Ask the original itself."""
    problem.meter.run("own", len(problem.forget.split), original_confidences, problem, problem.forget)
    return on_forget_set(scene, problem.original)


def clean(scene: Scenario, problem: UnlearningProblem) -> Scores:
    """Ask what the method asks."""
    scores = problem.meter.run("clean", len(problem.forget.split), _clean.clean_scores, problem)
    return dict.fromkeys(problem.original.paths, scores.numpy())


def initial(scene: Scenario, problem: UnlearningProblem) -> Scores:
    """Ask the same of the initial model's outputs, as where inputs are raw."""
    with mock.patch.object(_clean, "clean_parts", outputs_of_initial_model):
        return clean(scene, problem)


def outputs_of_initial_model(
    problem: UnlearningProblem, modality: str, items: Integers
) -> list[torch.Tensor]:
    """Return the pooled outputs of the initial model, whatever the inputs are."""
    distinct, place = np.unique(items, return_inverse=True)
    encoder = ItemEncoder(problem.fresh_model(problem.seed).eval(), problem.retain.features)
    return [encoder.pooled(modality, torch.from_numpy(distinct)).double()[place]]


def short_retrain(scene: Scenario, problem: UnlearningProblem) -> Scores:
    """Train from other initial weights on Dr, for a part of the recipe's epochs."""
    short = replace(problem.recipe, epochs=max(1, round(SHORT * problem.recipe.epochs)))
    model = replace(problem, recipe=short).train_from_scratch(problem.retain, problem.seed + 1000)
    return on_forget_set(scene, model)


def second_retrain(scene: Scenario, problem: UnlearningProblem) -> Scores:
    """Train from other initial weights on Dr by the whole recipe."""
    return on_forget_set(scene, problem.train_from_scratch(problem.retain, problem.seed + 1000))


def original_fusion(scene: Scenario, problem: UnlearningProblem) -> Scores | None:
    """Feed the original's fusion with what ridges on Dr expect of its encoders; retrieval alone."""
    if problem.forget.split.label is not None:
        return None
    return problem.meter.run("expected", len(problem.forget.split), expected_association, problem)


def expected_association(problem: UnlearningProblem) -> Scores:
    """Ask the original's fusion about what ridges expect its encoders to say of the pairs of Df."""
    model, forget, retain = problem.original, problem.forget.split, problem.retain.split
    encoder, sides = ItemEncoder(model, problem.retain.features), []
    asked = ((retain.first, forget.first), (retain.second, forget.second))
    for modality, (kept, deleted) in zip(model.modalities, asked, strict=True):
        items = np.unique(kept)
        pooled = encoder.pooled(modality, torch.from_numpy(items)).double()
        before, after = (
            torch.cat(_clean.clean_parts(problem, modality, which), 1) for which in (items, deleted)
        )
        expected = _clean.ridge(before, pooled)(after).float()
        mask = torch.ones(len(expected), 1, dtype=torch.bool)
        sides.append(EncoderOutput(expected[:, None], mask, expected))
    with torch.no_grad():
        found = model.association(sides[0], sides[1])
        return {path: score.double().numpy() for path, score in found.items()}


CANDIDATES: Mapping[str, Callable[[Scenario, UnlearningProblem], Scores | None]] = {
    "the original itself": own,
    "closed form from clean features": clean,
    "closed form from the initial model": initial,
    "the original, fed with what is expected": original_fusion,
    f"retrain for {SHORT:.0%} of its epochs": short_retrain,
    "a second retrain": second_retrain,
}


if __name__ == "__main__":
    main()
