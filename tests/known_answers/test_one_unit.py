"""With a forget set of one unit, original and retrain are alike: neither is a better trained model.

Once an epoch ended in whatever was left of the last batch, and a rest of a pair or two took a whole step.
Which of the two models had the smaller rest was chance, and that one fitted Dr worse; so every distance to
retrain held some of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from mmulbench.core.data import Batch, PairData
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.model import MultimodalModel
from mmulbench.core.registry import TASKS
from mmulbench.methods.retrain_again import RetrainAgain
from mmulbench.metrics.separation import exact_auc
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.prepare import Workspace, prepare
from mmulbench.runs.scenario import Scenario

SEED, DRAWS = 42, 3


@dataclass(frozen=True)
class Size:
    """A task at a size at which a model learns something in seconds."""

    task: str
    backbone: str
    limit: int
    epochs: int
    lr: float
    batch_sizes: tuple[int, int] = (24, 48)


KINDS = {
    "retrieval": Size("emoji", "albef:tiny", limit=120, epochs=20, lr=1e-3),
    "classification": Size("flags_ve", "albef:tiny", limit=24, epochs=12, lr=2e-3),
    "graph and text": Size("hpo_pgr", "gtnn:tiny", limit=150, epochs=20, lr=3e-3, batch_sizes=(64, 128)),
}


def rest(pairs: int, batch_size: int) -> int:
    """What slicing would leave for the last batch."""
    return pairs % batch_size or batch_size


def scenario(size: Size, workspace: Workspace) -> Scenario:
    """One unit is deleted, and batches have the size whose rests would differ most."""
    cls = TASKS.get(size.task)
    task = cls(cls.Config(**{"limit": size.limit}))
    recipe = replace(task.recipe, epochs=size.epochs, lr=size.lr)
    prepared = prepare(size.task, task, find_backbone(size.backbone, task), recipe, workspace)
    if recipe.sampling == "pair":
        few = prepared.data.train.units[: 10 * size.batch_sizes[0] + 1]
        prepared = replace(prepared, data=replace(prepared.data, train=prepared.data.train.only(few)))
    forget = ForgetSet(task.forget_units(prepared.data, 1, SEED))
    train = prepared.data.train
    both = [len(prepared.pairs(split)) for split in (train, forget.kept(train))]

    def contrast(batch_size: int) -> float:
        return abs(math.log(rest(both[0], batch_size) / rest(both[1], batch_size)))

    chosen = max(range(*size.batch_sizes), key=contrast)
    assert min(rest(pairs, chosen) for pairs in both) <= 2
    return Scenario(replace(prepared, recipe=replace(recipe, batch_size=chosen)), forget, SEED)


def judged(model: MultimodalModel, scene: Scenario) -> dict[str, tuple[float, int]]:
    """By measure: its value, and on how many queries it rests.

    The attack tells Dr from test pairs. One unit is too few to attack, and the original does know it.
    """
    found = scene.measure(model, scene.sets)
    heads = {name: found.utility[name]["headline"] for name in ("test", "retain")}
    values = {name: (one.value, one.n) for name, one in heads.items()}
    for path, losses in found.losses.items():
        values[f"attack/{path}"] = exact_auc(-losses["test"], -losses["retain"]), len(losses["test"])
    return values


def distances(scene: Scenario) -> dict[str, float]:
    """How far original and retrain are apart, by measure."""
    original, retrain = (judged(one.model, scene) for one in (scene.original(), scene.retrain()))
    return {name: abs(original[name][0] - retrain[name][0]) for name in original}


def tolerance(scene: Scenario) -> dict[str, float]:
    """How far two retrains may be apart: three standard deviations of their difference, or two queries."""
    draws = [RetrainAgain(RetrainAgain.Config(draw=draw)) for draw in range(1, DRAWS + 1)]
    models = [scene.retrain().model, *(method.unlearn(scene.problem()) for method in draws)]
    found = [judged(model, scene) for model in models]
    return {
        name: max(3 * math.sqrt(2) * float(np.std([one[name][0] for one in found], ddof=1)), 2 / n)
        for name, (_, n) in found[0].items()
    }


@pytest.fixture(scope="module")
def even(make_workspace):
    """The scene of each kind, and its tolerance; computed once."""
    made: dict[str, tuple[Scenario, dict[str, float]]] = {}

    def make(kind: str) -> tuple[Scenario, dict[str, float]]:
        if kind not in made:
            scene = scenario(KINDS[kind], make_workspace())
            made[kind] = scene, tolerance(scene)
        return made[kind]

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_original_and_retrain_agree_within_the_noise(kind, even):
    scene, allowed = even(kind)
    apart = {name: (found, allowed[name]) for name, found in distances(scene).items()}
    assert {name: pair for name, pair in apart.items() if pair[0] > pair[1]} == {}


def cut(data: PairData, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """An epoch as it once was."""
    order = data._draw(rng)
    for start in range(0, len(order), batch_size):
        yield data.batch(order[start : start + batch_size])


def test_with_a_rest_they_would_not(even, make_workspace, monkeypatch):
    """The original's epochs end in a step on one pair, retrain's do not."""
    kind = "graph and text"
    _, allowed = even(kind)
    monkeypatch.setattr(PairData, "epoch", cut)
    monkeypatch.setattr(PairData, "steps", lambda data, size: -(-len(data) // size))
    found = distances(scenario(KINDS[kind], make_workspace()))
    assert found["retain"] > allowed["retain"], (found, allowed)
