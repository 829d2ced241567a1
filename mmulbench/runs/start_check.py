"""See whether the weights that retrain starts from have seen the forget set: retrain is no reference then.

Random weights have seen nothing. Those of a checkpoint may have been fine-tuned on the very data that is to
be forgotten. No training on the retain set takes that away, so it is looked for before any training, and
nothing that needs a reference is made of such weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from mmulbench.cache.entry import Artifact
from mmulbench.core.backbone import SaysItsData
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.metric import HEADLINE
from mmulbench.core.model import ClassificationModel, MultimodalModel
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.evaluation.measure import EvaluationSets
from mmulbench.evaluation.probe import PROBE, probe_losses
from mmulbench.metrics.memory import LEVEL, LIMIT, Memory, UnitAuc, memory
from mmulbench.records.schema import METRIC_VERSION, StartAttack, StartCheck
from mmulbench.runs.measurements import digest_of_sets, load_measurements
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.references import fresh_model, retrain_inputs

KIND = "start"

RULE_VERSION = 1
"""Version of what is measured; raised when it changes, so that findings of before are not found again."""

ADVICE = (
    "so retrain from it is no reference, and there is no verdict: give --backbone weights from before they "
    "were trained on this data, or measure without retrain by --no-reference"
)


def check_start(
    prepared: PreparedTask, sets: EvaluationSets, forget: ForgetSet, seed: int
) -> StartCheck | None:
    """Check that a retrain's initial weights have not seen the forget set.

    What is found is kept beside the retrain in the cache.

    Args:
        prepared: task and backbone.
        sets: sets that the initial weights are judged on, with a sample of the retain set.
        forget: the forget set.
        seed: training seed of the retrain.

    Returns:
        What was measured; None for random weights, of which nothing is.

    Raises:
        UsageError: The checkpoint says itself that it was trained on the data.
        MmulbenchError: It shows that it was.
        Diverged: It holds numbers that are not finite.
    """
    if prepared.backbone.checkpoint is None:
        return None
    _refuse_by_its_word(prepared)
    inputs = {
        **retrain_inputs(prepared, forget, seed),
        "sets": digest_of_sets(sets),
        "metric_version": METRIC_VERSION,
        "rule_version": RULE_VERSION,
    }
    found = prepared.workspace.cache.get_or_build(
        KIND, inputs, lambda: Artifact({}, _measured(prepared, sets, seed))
    )
    memories = {path: _memory_of(numbers) for path, numbers in found.info["paths"].items()}
    utility: dict[str, float] = found.info["utility"]
    refuse_seen(prepared.backbone.full_name, memories, utility, len(forget))
    return StartCheck(
        forget={path: StartAttack(**one.forget._asdict()) for path, one in memories.items()},
        retain={path: StartAttack(**one.retain._asdict()) for path, one in memories.items()},
        utility=utility,
        limit=LIMIT,
    )


def refuse_seen_retrain(
    model: MultimodalModel, prepared: PreparedTask, sets: EvaluationSets, seed: int
) -> None:
    """Refuse a retrain that was made elsewhere and yet knows the forget set.

    That it knows the retain set is as it should be.

    Args:
        model: the retrain.
        prepared: task and backbone.
        sets: sets that it is judged on.
        seed: seed of the unrelated pairs.

    Raises:
        MmulbenchError: It shows that it was trained on the forget set.
    """
    found = load_measurements(model, sets, prepared, seed)
    units = {name: split.first for name, split in sets.splits.items()}
    memories = {path: memory(losses, units) for path, losses in found.losses.items()}
    path, worst = max(memories.items(), key=lambda item: item[1].forget.low)
    if worst.shows_forget_set:
        raise MmulbenchError(
            f"the model of --retrain has seen the forget set: {_said(path, worst.forget)} tells it from "
            f"test items (above {LIMIT:.2f} counts as seen); give one that was trained without it, or "
            "--retrain-from, or --no-reference"
        )


def refuse_seen(
    backbone: str, memories: Mapping[str, Memory], utility: Mapping[str, float], units: int
) -> None:
    """Refuse initial weights that have to be taken for such as saw the forget set.

    Args:
        backbone: full name of the backbone.
        memories: by path, how well its weights remember the forget set and the retain set.
        utility: utility of its weights on ``forget`` and ``test``.
        units: number of forget units.

    Raises:
        MmulbenchError: On some path they do.
    """
    seen = {path: one for path, one in memories.items() if one.is_seen}
    if not seen:
        return
    path, worst = max(seen.items(), key=lambda item: (item[1].shows_forget_set, item[1].forget.low))
    if worst.shows_forget_set:
        what = f"{backbone} has seen the forget set"
        attack = f"{_said(path, worst.forget)} tells its {units} units from test items"
    else:
        what = f"{backbone} has seen the training data, and nothing shows that the forget set was left out"
        attack = (
            f"{_said(path, worst.retain)} tells the retain set from test items, "
            f"and {_said(path, worst.behind)} does not tell the {units} forget units from the retain set"
        )
    raise MmulbenchError(
        f"{what}: before any training, {attack} (above {LIMIT:.2f} counts as seen), utility is "
        f"{utility['forget']:.3f} on the forget set and {utility['test']:.3f} on the test set, {ADVICE}"
    )


def _said(path: str, auc: UnitAuc) -> str:
    return f"{path} loss (AUC {auc.value:.3f}, {100 * LEVEL:.0f} % interval {auc.low:.3f} to {auc.high:.3f})"


def _measured(prepared: PreparedTask, sets: EvaluationSets, seed: int) -> dict[str, Any]:
    """Measure the initial weights; the result is JSON."""
    model = fresh_model(prepared, seed).eval().requires_grad_(False)
    found = load_measurements(model, sets, prepared, seed)
    units = {name: split.first for name, split in sets.splits.items()}
    memories = {path: memory(losses, units) for path, losses in found.losses.items()}
    if isinstance(model, ClassificationModel) and (probed := probe_losses(model, sets, seed)) is not None:
        memories[PROBE] = memory(*probed)
    utility = {name: found.utility[name][HEADLINE].value for name in ("forget", "test")}
    return {"paths": {path: asdict(one) for path, one in memories.items()}, "utility": utility}


def _memory_of(numbers: Mapping[str, Any]) -> Memory:
    return Memory(**{name: UnitAuc(*auc) for name, auc in numbers.items()})


def _refuse_by_its_word(prepared: PreparedTask) -> None:
    """Refuse weights that say that they were trained on the task's training data.

    Raises:
        UsageError: They do.
    """
    checkpoint, task = prepared.backbone.checkpoint, prepared.task_name
    names = checkpoint.trained_on if isinstance(checkpoint, SaysItsData) else frozenset()
    own = [
        name
        for name in sorted(names)
        if name == prepared.data.fingerprint or PurePath(name).stem == f"{task}_train"
    ]
    if own:
        raise UsageError(
            f"{prepared.backbone.full_name} says that it was trained on {own[0]}, the training data of "
            f"{task}: it has seen the forget set, {ADVICE}"
        )
