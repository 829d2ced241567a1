"""Check that no shortcut leads to what is deleted: neither counting in the retain set, nor near twins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mmulbench.conformance.checks import Caveat, ContractViolation, SkipCheck
from mmulbench.conformance.counting import counted_pairs, guesses
from mmulbench.conformance.popularity import TOP, popularity_recall
from mmulbench.conformance.task_trial import TaskTrial
from mmulbench.conformance.twins import TWINS, share_with_twins
from mmulbench.core.data import Integers
from mmulbench.records.published import PUBLISHED_SEEDS
from mmulbench.seeds import generator

SEEDS = (*PUBLISHED_SEEDS, *range(15))
"""Seeds whose forget sets are tried, those of the records first."""

ENOUGH_UNITS = 2000
"""Number of forgotten units from which on no further seed is tried."""

FEWEST_UNITS = 60
"""Smallest number of different forgotten units: with fewer, guesses lie anywhere by chance."""

ALLOWED = 0.02
"""Distance from chance on deleted pairs that is allowed beyond that on test pairs and three errors."""

PRIOR = 0.05
"""Distance from chance on test pairs, beside three standard errors, from which on the prior is named."""

SOLVED = 0.4
"""Distance from chance on test pairs that is refused: counting solves the task."""

TWINS_ALLOWED = 0.01
"""Share of pictures that may have a near twin where they should have none."""

MOST_PICTURES = 4000
"""Largest number of pictures among which twins are looked for."""


def no_text_or_group_is_there_twice(trial: TaskTrial) -> None:
    """No text has two numbers, and no two forget units are the same group of parts."""
    first, second = trial.task.modalities
    texts, groups = trial.data.items[second].texts, trial.data.items[first].groups
    problems = []
    if texts is not None and (twice := len(texts) - len(set(texts))):
        problems.append(f"{twice} items of {second} have the words of another: give equal words one number")
    if groups is not None and (twice := len(groups) - len(np.unique(groups, axis=0))):
        problems.append(f"{twice} items of {first} have the parts of another: make one unit of them")
    if problems:
        raise _problem(trial, "; ".join(problems))


def pictures_have_no_twins(trial: TaskTrial) -> str:
    """Hardly any test picture, and hardly any deleted one, has a near twin in training."""
    raw = trial.data.items[trial.task.modalities[0]]
    if raw.images is None:
        raise SkipCheck(f"{trial.task.modalities[0]} items are no pictures")
    rng, train = generator(0, "twins"), _pictures(trial, trial.data.train.units)
    test = np.setdiff1d(_pictures(trial, trial.data.test.units), train)
    shares = {"test": share_with_twins(raw.images, _some(test, rng), _some(train, rng))}
    if raw.groups is None:
        deleted = next(_forget_sets(trial))
        kept = np.setdiff1d(train, deleted)
        shares["deleted"] = share_with_twins(raw.images, _some(deleted, rng), _some(kept, rng))
    measured = " and ".join(f"{share:.1%} of {name} pictures" for name, share in shares.items())
    found = f"{measured} have a near twin in training (pixels correlate above {TWINS})"
    if max(shares.values()) > TWINS_ALLOWED:
        raise _problem(trial, f"{found}: keep one of each set of twins")
    return found


def counting_tells_no_class(trial: TaskTrial) -> str:
    """What can be counted in the retain set does not tell the classes of deleted pairs."""
    classes = len(trial.task.classes)
    if not classes:
        raise SkipCheck("the task is retrieval: it has no classes")
    pairs = counted_pairs(trial.data, trial.task.modalities, classes)
    rng, train = generator(0, "counting"), len(trial.data.train)
    tests = np.arange(train, len(pairs.labels))
    found: dict[str, list[float]] = {}
    gone: list[Integers] = []
    for units in _forget_sets(trial):
        deleted = np.isin(trial.data.train.first, units)
        for kind, auc in guesses(pairs, np.flatnonzero(~deleted), np.flatnonzero(deleted), rng).items():
            found.setdefault(kind, []).append(auc)
        gone.append(units)
    unseen = guesses(pairs, np.arange(train), tests, rng)
    shortcuts = [
        Shortcut(f"counting {kind} tells classes with an AUC of", float(np.mean(aucs)), unseen[kind], 0.5)
        for kind, aucs in found.items()
    ]
    return _judge(trial, shortcuts, gone)


def popularity_finds_no_text(trial: TaskTrial) -> str:
    """How often texts occur in the retain set does not find those of deleted units.

    The other way round there is nothing to count: no pair of a deleted item or of a test item is retained.
    """
    if trial.task.classes:
        raise SkipCheck("the task has classes: nothing is retrieved")
    train, test = trial.data.train, trial.data.test
    unseen = popularity_recall(train, test, np.unique(test.second))
    found, gone = [], []
    for units in _forget_sets(trial):
        deleted = train.only(units)
        gallery = np.union1d(test.second, deleted.second)
        found.append(popularity_recall(train.without(units), deleted, gallery))
        gone.append(units)
    recall, chance = np.mean(found, axis=0)
    what = f"the {TOP} most frequent texts answer (chance {chance:.2f})"
    # A gallery's chance depends on its size: distances from it are compared.
    shortcut = Shortcut(what, float(recall), float(chance + unseen.recall - unseen.chance), float(chance))
    return _judge(trial, [shortcut], gone)


class Shortcut(NamedTuple):
    """Holds what a guess without any model reaches.

    Attributes:
        what: words that introduce the numbers.
        deleted: value on deleted pairs.
        unseen: value on test pairs.
        chance: value of a guess that knows nothing.
    """

    what: str
    deleted: float
    unseen: float
    chance: float

    @property
    def said(self) -> str:
        """The numbers in words."""
        return f"{self.what} {self.deleted:.2f} on deleted pairs, {self.unseen:.2f} on test pairs"


def _judge(trial: TaskTrial, shortcuts: Sequence[Shortcut], gone: Sequence[Integers]) -> str:
    """Return what the best shortcut reaches.

    What counts tell of test pairs is a prior, and legitimate unless it solves the task. What they tell of
    deleted pairs beyond that was left behind by the deletion.

    Raises:
        ContractViolation: if a shortcut leads to what is deleted, or solves the task.
        Caveat: if there is a prior, or the data is published by others.
        SkipCheck: if there are too few units to tell.
    """
    units = len(np.unique(np.concatenate(gone)))
    if units < FEWEST_UNITS:
        raise SkipCheck(f"{units} different units are too few to tell a shortcut from chance")
    band = ALLOWED + _noise(units)
    leak = max(shortcuts, key=lambda one: abs(one.deleted - one.chance) - abs(one.unseen - one.chance))
    if abs(leak.deleted - leak.chance) > abs(leak.unseen - leak.chance) + band:
        raise _problem(
            trial,
            f"{leak.said}: what is left tells what was deleted (allowed {band:.2f} beyond test); draw labels "
            "so that those of other pairs do not tell a pair's",
        )
    prior = max(shortcuts, key=lambda one: abs(one.unseen - one.chance))
    if abs(prior.unseen - prior.chance) > SOLVED:
        raise _problem(trial, f"{prior.said}: no model is needed; balance what is counted")
    if abs(prior.unseen - prior.chance) > PRIOR + _noise(len(trial.data.test)):
        raise Caveat(f"{prior.said}: a prior that models may use")
    return max(shortcuts, key=lambda one: abs(one.deleted - one.chance)).said


def _noise(count: int) -> float:
    """Return three standard errors of an AUC of guesses that know nothing, of as many of either class."""
    return 3 / float(np.sqrt(3 * count))


def _problem(trial: TaskTrial, text: str) -> ContractViolation | Caveat:
    """Return what to raise: a violation, or a caveat where the data is published and cannot be mended."""
    return Caveat(text) if trial.published else ContractViolation(text)


def _forget_sets(trial: TaskTrial) -> Iterator[Integers]:
    """Yield forget sets of the default size, until they hold enough units together."""
    size = trial.task.forget_size(trial.data, None)
    for seed in SEEDS[: max(len(PUBLISHED_SEEDS), -(-ENOUGH_UNITS // size))]:
        yield trial.task.forget_units(trial.data, size, seed)


def _pictures(trial: TaskTrial, units: Integers) -> Integers:
    """Return the numbers of the pictures that make up some units."""
    groups = trial.data.items[trial.task.modalities[0]].groups
    return np.unique(units if groups is None else groups[units])


def _some(numbers: Integers, rng: np.random.Generator) -> Integers:
    """Return at most as many as twins are looked for among, drawn at random."""
    return numbers if len(numbers) <= MOST_PICTURES else rng.choice(numbers, MOST_PICTURES, replace=False)
