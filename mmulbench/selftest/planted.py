"""Plant models of which the truth is known: how sure each is of a pair, what it finds, what it encodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from mmulbench.core.metric import HEADLINE, SETS
from mmulbench.core.observations import ByPath, Estimate, Measurements
from mmulbench.evaluation.population_values import Population
from mmulbench.metrics.utility import CUTOFFS, retrieval_utility
from mmulbench.seeds import generator

if TYPE_CHECKING:
    from mmulbench.core.data import Integers
    from mmulbench.core.observations import Booleans, Floats

SEEDS = (42, 87, 21)
"""Seeds of the planted runs; each has a forget set and a retrain of its own."""

MODELS = 64
"""Shadow models of each kind: as few as KLOM takes."""

KNOWN = {"contrastive": 3.0, "matching": 2.4}
"""By association path, by how many logits a model is surer of a pair that it was trained on."""

LEVEL, UNRELATED = 1.0, -4.5
"""Mean confidence in a pair that the model was not trained on, and in one that does not belong together."""

LEARNT, UNCOVERED = 16.0, 2.0
"""Steps of training until all but 1 / e of something new is learnt, and of what is hidden is back."""

TRAINING = 0.6
"""Standard deviation, over models, of the confidence in one pair."""

SET_TRAINING = 0.06
"""Standard deviation, over models, of the mean confidence in a whole set."""

GALLERY = 100
"""Items that a query searches, its own true item among them."""

ITEMS, DIMENSIONS = 169, 16
"""Shape of the pooled outputs of one modality."""


@dataclass(frozen=True)
class Sizes:
    """Says how much is planted.

    Attributes:
        units: by set, its units.
        pairs: pairs of each unit.
    """

    units: Mapping[str, int]
    pairs: int

    def of_pairs(self) -> dict[str, Integers]:
        """Return the unit of each pair, by set."""
        return {name: np.repeat(np.arange(count), self.pairs) for name, count in self.units.items()}


RUN = Sizes({"test": 169, "retain": 200, "forget": 68}, 9)
"""The sizes of emoji, with fewer retain pairs."""

SHADOWS = Sizes({"test": 60, "retain": 30, "forget": 40}, 2)


@dataclass(frozen=True)
class Planted:
    """Describes a model by how it differs from a retrain.

    Attributes:
        name: its name, as a method's in records.
        truth: what is true of it, in a sentence.
        memory: by path, how much it still knows of the forget set: 1 is as much as the original, 0 nothing,
            below 0 it is less sure of these pairs than of unseen ones.
        hidden: by path, how much of it comes back within a few steps of training; the same scale.
        share: share of the forget units that `memory` is of; of the others it knows nothing.
        everywhere: logits by which it is surer of everything, whether it belongs together or not.
        skill: logits by which it is surer of what belongs together.
        encoders: standard deviation of what has changed in the original's pooled outputs, whose own is 1.
        draw: models with the same draw are the same but for the above; empty for one of its own.
        is_random: whether it knows nothing at all.
    """

    name: str
    truth: str
    memory: Mapping[str, float] = field(default_factory=dict)
    hidden: Mapping[str, float] = field(default_factory=dict)
    share: float = 1.0
    everywhere: float = 0.0
    skill: float = 0.0
    encoders: float = 0.5
    draw: str = ""
    is_random: bool = False


def _both(memory: float) -> dict[str, float]:
    return dict.fromkeys(KNOWN, memory)


RETRAIN = Planted("retrain", "the reference: never saw the forget set")
ORIGINAL = Planted("original", "the model before unlearning", _both(1.0), encoders=0.0)
PLANTED = (
    Planted("retrain_itself", "the reference, judged as if it were a method's model", draw="retrain"),
    Planted("perfect_retrain", "another draw of what retraining gives"),
    Planted("untouched", "the original as it was", _both(1.0), encoders=0.0, draw="original"),
    Planted("random", "knows nothing of anything", encoders=1.0, is_random=True),
    Planted("shifted", "a retrain that is less sure of every pair, by the same", everywhere=-2.0),
    Planted("still_known", "knows half of what the original knew of the forget set", _both(0.5)),
    Planted("over_forgotten", "as far from retrain as still_known, the other way", _both(-0.5)),
    Planted("one_path", "forgot on the matching path only", {"contrastive": 1.0}, encoders=0.0),
    Planted(
        "tenth_memorised", "knows a tenth of the forget units as the original does", _both(1.0), share=0.1
    ),
    Planted("lost_utility", "forgot, and lost some of all it could do", skill=-1.5, encoders=2.0),
    Planted(
        "hidden", "hides what the original knew: a few steps of training bring it back", hidden=_both(1.0)
    ),
)
"""The models that are judged."""


def again(draw: int) -> Planted:
    """Return a retrain by another training seed."""
    return Planted(f"retrain_again_{draw}", "a retrain by another training seed")


def measurements(planted: Planted, seed: int) -> Measurements:
    """Measure a planted model, as evaluation measures a real one.

    Args:
        planted: the model.
        seed: seed of the run: of the forget set, and with the model's draw of its training.
    """
    sure = {path: {name: sure[0] for name, sure in _sure(planted, seed, path, RUN).items()} for path in KNOWN}
    losses = {
        path: {name: np.logaddexp(0.0, -of_set[name]) for name in SETS} for path, of_set in sure.items()
    }
    ranks = {name: _ranks(planted, sure["matching"][name], seed, name) for name in SETS}
    found = np.stack([ranks["forget"] < k for k in CUTOFFS]).mean(0)
    return Measurements(
        utility={name: _utility(of_set) for name, of_set in ranks.items()},
        scores=sure,
        losses=losses,
        pooled={modality: _pooled(planted, seed, modality) for modality in ("image", "text")},
        unit_utility=found.reshape(-1, RUN.pairs).mean(1),
    )


def recovery(planted: Planted, seed: int, steps: Sequence[int]) -> dict[int, ByPath]:
    """Make the losses of a planted model that is trained on the first half of the forget units again.

    What is new is learnt of the half that is trained on, what is hidden comes back of both.

    Args:
        planted: the model.
        seed: seed of the run.
        steps: numbers of training steps.
    """
    known = {path: _sure(planted, seed, path, RUN) for path in KNOWN}
    return {step: {path: _after(planted, path, step, sure) for path, sure in known.items()} for step in steps}


def shown_pairs() -> Booleans:
    """Return (n,) which pairs of the forget set models are trained on again."""
    return RUN.of_pairs()["forget"] < RUN.units["forget"] // 2


def _after(planted: Planted, path: str, step: int, sure: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return losses on one path after so many steps of training."""
    units = RUN.of_pairs()["forget"]
    known = np.where(units < round(planted.share * RUN.units["forget"]), planted.memory.get(path, 0.0), 0.0)
    back = planted.hidden.get(path, 0.0) * -np.expm1(-step / UNCOVERED)
    new = (1.0 - known - back) * -np.expm1(-step / LEARNT)
    more = {"forget": KNOWN[path] * (back + np.where(shown_pairs(), new, 0.0)), "test": 0.0}
    return {name: np.logaddexp(0.0, -sure[name][0] - more[name]) for name in ("forget", "test")}


def population(planted: Planted, seed: int) -> Population:
    """Make shadow models of a planted model, of its original and of retrain.

    Args:
        planted: the model.
        seed: seed of the forget set.
    """
    return Population(*(_worlds(one, seed) for one in (planted, ORIGINAL, RETRAIN, again(1))))


def _worlds(planted: Planted, seed: int) -> ByPath:
    """Return (k, n) confidences of k models of a kind, by path and set."""
    found = {path: _sure(planted, seed, path, SHADOWS, MODELS) for path in KNOWN}
    return {path: {name: of_set[name] for name in SETS} for path, of_set in found.items()}


def _sure(planted: Planted, seed: int, path: str, sizes: Sizes, models: int = 1) -> dict[str, Floats]:
    """Return how sure (k, n) models are of each pair, by set; unrelated pairs are as many as forgotten ones.

    Units and pairs differ in difficulty, with heavy tails, and all models share that.
    """
    found = {}
    for name, units in {**sizes.units, "unrelated": sizes.units["forget"]}.items():
        shared, own = generator(seed, "pairs", path, name), _training(planted, seed, path, name)
        hard = np.repeat(shared.standard_t(4, units), sizes.pairs)
        hard = hard + shared.standard_t(4, units * sizes.pairs)
        noise = own.normal(scale=TRAINING, size=(models, hard.size))
        noise += own.normal(scale=SET_TRAINING, size=(models, 1))
        found[name] = noise if planted.is_random else noise + hard + _level(planted, path, name, sizes)
    return found


def _training(planted: Planted, seed: int, *names: str) -> np.random.Generator:
    return generator(seed, "training", planted.draw or planted.name, *names)


def _level(planted: Planted, path: str, name: str, sizes: Sizes) -> Floats:
    """Return the mean confidence of a planted model in (n,) pairs of a set."""
    units = sizes.units.get(name, sizes.units["forget"])
    level = np.full(units, planted.everywhere + (UNRELATED if name == "unrelated" else LEVEL + planted.skill))
    if name == "retain":
        level += KNOWN[path]
    if name == "forget":
        level[: round(planted.share * units)] += planted.memory.get(path, 0.0) * KNOWN[path]
    return np.repeat(level, sizes.pairs)


def _ranks(planted: Planted, sure: Floats, seed: int, name: str) -> Integers:
    """Return the ranks of (n,) pairs among items that do not belong to the query.

    Of those, as many are ahead as there should be by chance, so that ranks are hardly noisier than scores.
    """
    mean, spread = (0.0, TRAINING) if planted.is_random else (planted.everywhere + UNRELATED, 2.0)
    ahead = (GALLERY - 1) * norm.sf(sure, mean, spread)
    luck = generator(seed, "ranks", name).random(sure.size)
    return np.asarray(np.floor(ahead + luck), dtype=np.int64)


def _utility(ranks: Integers) -> dict[str, Estimate]:
    """Return the recalls of both directions, which are taken to rank alike."""
    ones = np.ones_like(ranks)
    recalls = retrieval_utility(
        ranks,
        ranks,
        first_relevant_counts=ones,
        second_relevant_counts=ones,
        first_gallery=GALLERY,
        second_gallery=GALLERY,
    )
    headline = Estimate(recalls.mean_recall, recalls.n, chance=recalls.chance)
    return {HEADLINE: headline, **recalls.named("image", "text")}


def _pooled(planted: Planted, seed: int, modality: str) -> Floats:
    """Return pooled outputs: what the original's are, and what has changed; to a random model all has."""
    known = generator(seed, "pooled", modality).normal(size=(ITEMS, DIMENSIONS))
    changed = _training(planted, seed, "pooled", modality).normal(size=(ITEMS, DIMENSIONS))
    return planted.encoders * changed + (0.0 if planted.is_random else 1.0) * known
