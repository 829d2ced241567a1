"""Guess the classes of deleted pairs by counting in the retain set: what can be known without any model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmulbench.core.data import Integers, Split
from mmulbench.core.task import TaskData

Floats = NDArray[np.float64]

FITTED = "a regression on all counts"
"""Name of the guess that a logistic regression makes, which learns for itself what counts mean."""

MOST_FITTED = 20_000
"""Largest number of pairs that the regression is fitted on."""


@dataclass(frozen=True)
class CountedPairs:
    """Holds labelled pairs, and what each consists of.

    Attributes:
        things: for each kind of thing, such as ``text``, the number of each pair's thing: (n,).
        labels: (n,) classes.
        units: (n,) forget units.
        classes: number of classes.
    """

    things: Mapping[str, Integers]
    labels: Integers
    units: Integers
    classes: int

    def counts(self, rows: Integers, base: Integers) -> dict[str, Floats]:
        """Count in how many pairs of each class the things of some pairs stand, their own units left out.

        Args:
            rows: (r,) pairs whose things are counted.
            base: (b,) pairs that are counted.

        Returns:
            (r, classes) for each kind of thing.
        """
        found = {}
        for kind, thing in self.things.items():
            table = np.zeros((int(thing.max()) + 1, self.classes))
            np.add.at(table, (thing[base], self.labels[base]), 1)
            found[kind] = table[thing[rows]] - self._own(thing, rows, base)
        return found

    def _own(self, thing: Integers, rows: Integers, base: Integers) -> Floats:
        """Count what pairs' own units contribute to the counts of their things."""
        keys = self.units * (int(thing.max()) + 1) + thing
        known, place = np.unique(keys[base], return_inverse=True)
        table = np.zeros((len(known) + 1, self.classes))
        np.add.at(table, (place, self.labels[base]), 1)
        found = np.minimum(np.searchsorted(known, keys[rows]), len(known) - 1)
        return table[np.where(known[found] == keys[rows], found, len(known))]


def counted_pairs(data: TaskData, modalities: tuple[str, ...], classes: int) -> CountedPairs:
    """Say what the pairs of train and then of test consist of: parts of the first item, and the second.

    A first item without parts is a forget unit itself: where it is deleted, nothing of it is left to count.

    Args:
        data: the task's data.
        modalities: names of the two modalities.
        classes: number of classes.

    Raises:
        ValueError: if the pairs have no labels.
    """
    train, test = data.train, data.test
    if train.label is None or test.label is None:
        raise ValueError("pairs without labels have nothing to guess")
    both = Split(*(np.concatenate(columns) for columns in zip(_columns(train), _columns(test), strict=True)))
    first, second = modalities
    things = {second: both.second}
    groups = data.items[first].groups
    if groups is not None:
        things |= {f"{first} {place}": part for place, part in enumerate(groups[both.first].T, 1)}
    assert both.label is not None
    return CountedPairs(things, both.label, both.first, classes)


def _columns(split: Split) -> tuple[Integers, Integers, Integers]:
    assert split.label is not None
    return split.first, split.second, split.label


def guesses(
    pairs: CountedPairs, base: Integers, asked: Integers, rng: np.random.Generator
) -> dict[str, float]:
    """Guess the classes of some pairs by counting others, in every way.

    Args:
        pairs: labelled pairs.
        base: (b,) pairs that are counted and fitted on.
        asked: (a,) pairs whose classes are guessed; none of their units is in ``base``.
        rng: generator that draws the pairs to fit on, where there are many.

    Returns:
        AUC by what is counted: of a class against the others, averaged over classes. Above 0.5 the class that
        is frequent with a thing is right, below it the one that is missing.
    """
    counts = pairs.counts(asked, base)
    scores = {kind: _surplus(found) for kind, found in counts.items()}
    if len(scores) > 1:
        scores["all of these"] = np.sum(list(scores.values()), axis=0)
    fitted = base if len(base) <= MOST_FITTED else rng.choice(base, MOST_FITTED, replace=False)
    if len(np.unique(pairs.labels[fitted])) > 1:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(_features(pairs.counts(fitted, base)), pairs.labels[fitted])
        scores[FITTED] = np.zeros((len(asked), pairs.classes))
        scores[FITTED][:, model.classes_] = model.predict_proba(_features(counts))
    return {kind: _auc(pairs.labels[asked], score) for kind, score in scores.items()}


def _surplus(counts: Floats) -> Floats:
    """Return by how much each class is more frequent than the mean of all."""
    found: Floats = counts - counts.mean(1, keepdims=True)
    return found


def _features(counts: Mapping[str, Floats]) -> Floats:
    """Return counts, and logarithms of them, side by side."""
    columns = list(counts.values())
    return np.concatenate([*columns, *(np.log1p(one) for one in columns)], axis=1)


def _auc(labels: Integers, scores: Floats) -> float:
    """Return the mean AUC of a class against all others, over the classes that are there; 0.5 for one."""
    there = [one for one in np.unique(labels) if (labels != one).any()]
    return float(np.mean([roc_auc_score(labels == one, scores[:, one]) for one in there])) if there else 0.5
