"""Find the training pairs that a list or a condition names: the forget set of a deletion request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmulbench.core.backbone import RawItems
from mmulbench.core.data import Integers
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.item_names import names_of, same_name
from mmulbench.core.task import Task, TaskData
from mmulbench.errors import UsageError, did_you_mean, near_names
from mmulbench.hashing import fingerprint
from mmulbench.records.schema import ForgetList
from mmulbench.runs.forget_list import Condition, ForgetRequest, NamedPairs, read_list

SHOWN = 10
"""Most ids that a message names."""


class ForgetChoice(NamedTuple):
    """Holds a forget set, and what a record says of the list that it was named by.

    Attributes:
        forget: the forget set.
        named: description of the list; None where the task drew the forget set.
        ids: ids of the units, sorted; of associations, each with its partner after a tab. Empty where the
            task drew the forget set.
        notes: what is to be said of the list, a line each.
    """

    forget: ForgetSet
    named: ForgetList | None = None
    ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Naming(NamedTuple):
    """Holds which names the items of the first modality have; an item may have several, and a name several.

    Attributes:
        names: (m,) names, as `same_name` writes them: each item's own, in their order, and then all others.
        items: (m,) item that each is of.
    """

    names: NDArray[np.object_]
    items: Integers

    @classmethod
    def of(cls, own: NDArray[np.object_], others: Mapping[str, Sequence[int]]) -> Naming:
        """Put the names together.

        Args:
            own: (n,) own name of each item.
            others: items by their other names.
        """
        more = [(name, item) for name, items in others.items() for item in items]
        names = np.array([same_name(name) for name in [*own, *(name for name, _ in more)]], dtype=object)
        items = np.array([item for _, item in more], dtype=np.int64)
        return cls(names, np.concatenate([np.arange(len(own)), items]))


def chosen(request: ForgetRequest, task: Task, data: TaskData) -> ForgetChoice:
    """Find what a request names among a task's training pairs.

    Args:
        request: the request.
        task: the task, which says what its items are called.
        data: data of the task.

    Raises:
        UsageError: An id is unknown or not in the training split, no pair is named, or all are.
    """
    names = np.asarray(task.item_names(data, task.modalities[0]), dtype=object)
    notes: tuple[str, ...] = ()
    if request.conditions:
        rows = _satisfying(request.conditions, task, data)
        forget = ForgetSet(task.whole_units(data, np.unique(data.train.first[rows])))
    else:
        listed, others = read_list(request, task.list_columns(data)), task.other_names(data)
        naming, source = Naming.of(names, others), f"--forget {request.file}"
        wanted = listed.units
        if listed.partners is None:
            wanted = _with_parts(wanted, naming.names[: len(names)], data.items[task.modalities[0]], data)
        units = _units(wanted, naming, data, source)
        forget = ForgetSet(task.whole_units(data, units))
        if listed.partners is not None:
            forget = _associations(listed, naming, task, data)
        notes = (*_said(listed.units, names, others, source), *_unread(listed, source))
    if not len(forget.kept(data.train)):
        what = "all training pairs" if forget.rows is not None else f"all {len(forget):,} training units"
        raise UsageError(f"what is to be forgotten is {what}: nothing is left to keep")
    return _described(forget, names, task, data)._replace(notes=notes)


def _said(
    wanted: Sequence[str], names: NDArray[np.object_], others: Mapping[str, Sequence[int]], source: str
) -> tuple[str, ...]:
    """Say which of the ids are names of copies, and what they mean, in a line; nothing where none are.

    Args:
        wanted: ids of the list.
        names: own name of each item.
        others: items by their other names.
        source: what names the ids, for the line.
    """
    meaning = {same_name(name): items for name, items in others.items()}
    asked = pd.Index(list(dict.fromkeys(one for one in wanted if one in meaning)), dtype=object)
    if not len(asked):
        return ()
    meant = [f"{one} means {' and '.join(sorted(set(names[list(meaning[one])])))}" for one in asked[:SHOWN]]
    why = "names of copies, which are one unit with the picture that they repeat"
    return (f"{source}: {why}: {_first(pd.Index(meant), len(asked))}",)


def _unread(listed: NamedPairs, source: str) -> tuple[str, ...]:
    """Say which columns of a list were not read, in a line; nothing where all were."""
    return (f"{source}: columns that say nothing here: {', '.join(listed.unread)}",) if listed.unread else ()


def _described(forget: ForgetSet, names: np.ndarray, task: Task, data: TaskData) -> ForgetChoice:
    """Add what a record says: a digest of the ids whatever their order, and how many there are."""
    pairs = forget.forgotten(data.train)
    if forget.rows is None:
        ids: list[object] = sorted(set(names[forget.units]))
        texts = tuple(map(str, ids))
    else:
        partners = np.asarray(task.item_names(data, task.modalities[1]), dtype=object)
        both = sorted(set(zip(names[pairs.first], partners[pairs.second], strict=True)))
        ids, texts = [list(pair) for pair in both], tuple("\t".join(pair) for pair in both)
    level: Literal["units", "pairs"] = "units" if forget.rows is None else "pairs"
    return ForgetChoice(forget, ForgetList(digest=fingerprint(ids), level=level, pairs=len(pairs)), texts)


def _with_parts(wanted: Sequence[str], names: np.ndarray, items: RawItems, data: TaskData) -> Sequence[str]:
    """Put in the place of each id that names a part, such as a gene, the ids of what holds it.

    Of these, all that are trained on are meant; where there are none, all there are, which are then refused.
    """
    if items.groups is None:
        return wanted
    asked = pd.Index(wanted).unique()
    parts = pd.Index([*map(same_name, names_of(replace(items, groups=None)))])
    named = asked[~asked.isin(names) & asked.isin(parts)]
    trained = np.zeros(len(names), dtype=bool)
    trained[data.train.units] = True
    found = [*asked.difference(named, sort=False)]
    for part in named:
        holds = np.asarray(parts == part)[items.groups].any(1)
        found += names[holds & trained if (holds & trained).any() else holds].tolist()
    return found


def _units(wanted: Sequence[str], naming: Naming, data: TaskData, source: str) -> Integers:
    """Return the training units of these names, ascending.

    Raises:
        UsageError: A name is unknown, or of items that nothing is trained on.
    """
    asked = pd.Index(wanted).unique()
    names, items = naming
    place = asked.get_indexer(pd.Index(names))  # of each name among those asked for; -1 for none
    trained = np.isin(items, data.train.units)
    if len(unknown := asked[_absent(place, len(asked))]):
        near = near_names(str(unknown[0]), dict.fromkeys(names)) if len(names) <= 10_000 else ""
        near = near or f"; the data's ids look like {names[0]}"
        raise UsageError(f"{source}: {_counted(unknown, 'id')} unknown to the data: {_first(unknown)}{near}")
    if len(others := asked[_absent(place[trained], len(asked))]):
        in_test = np.isin(items, data.test.units)
        split = "test" if others.isin(names[in_test]).any() else "validation"
        raise UsageError(
            f"{source}: {_counted(others, 'id')} not in the training split but in that of {split}, which no "
            f"model was trained on: {_first(others)}"
        )
    return np.unique(items[(place >= 0) & trained])


def _associations(listed: NamedPairs, naming: Naming, task: Task, data: TaskData) -> ForgetSet:
    """Return the forget set of single associations.

    Raises:
        UsageError: A unit has no such partner in the training split.
    """
    assert listed.partners is not None
    second = task.modalities[1]
    partners = np.asarray(task.item_names(data, second), dtype=object)
    train = data.train
    rows, named = _named_rows(train.first, naming)
    own = pd.MultiIndex.from_arrays([named, [_plain(text) for text in partners[train.second[rows]]]])
    asked = pd.MultiIndex.from_arrays([list(listed.units), [*map(_plain, listed.partners)]]).unique()
    if len(unknown := asked[~asked.isin(own)]):
        shown = [f"{unit} with {partner!r}" for unit, partner in unknown[:SHOWN]]
        more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
        raise UsageError(
            f"--forget: {_counted(unknown, 'association')} not in the training "
            f"split, such as of {task.modalities[0]} and {second}: {', '.join(shown)}{more}"
        )
    rows = np.unique(rows[own.isin(asked)])
    return ForgetSet(np.unique(train.first[rows]), rows)


def _named_rows(first: Integers, naming: Naming) -> tuple[Integers, NDArray[np.object_]]:
    """Return each pair once for each name of its item of the first modality.

    Args:
        first: (n,) item of each pair.
        naming: names of the items.

    Returns:
        (m,) number of a pair, and (m,) a name that it has.
    """
    order = np.argsort(first, kind="stable")
    start, end = (np.searchsorted(first[order], naming.items, side) for side in ("left", "right"))
    counts = end - start
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[np.repeat(start, counts) + offsets], np.repeat(naming.names, counts)


def _satisfying(conditions: Sequence[Condition], task: Task, data: TaskData) -> Integers:
    """Return the rows of the training split that satisfy all conditions.

    Raises:
        UsageError: A column is unknown, or no row does.
    """
    columns = task.pair_columns(data)
    kept = np.ones(len(data.train), dtype=bool)
    for condition in conditions:
        if condition.column not in columns:
            hint = did_you_mean(condition.column, columns)
            raise UsageError(f"--forget-where: there is no column {condition.column!r}{hint}")
        wanted = same_name(condition.value)
        holds = np.array([same_name(value) == wanted for value in columns[condition.column]], dtype=bool)
        if not holds.any():
            example = columns[condition.column][0]
            raise UsageError(
                f"--forget-where: no training pair has {condition.column} == {condition.value!r}; "
                f"one has {example!r}"
            )
        kept &= holds
    if not kept.any():
        raise UsageError("--forget-where: no training pair satisfies all conditions")
    return np.flatnonzero(kept)


def _absent(places: Integers, count: int) -> Integers:
    """Return which of the places 0 … ``count`` - 1 are not among these, of which -1 is none."""
    there = np.zeros(count, dtype=bool)
    there[places[places >= 0]] = True
    return np.flatnonzero(~there)


def _plain(text: str) -> str:
    """Return what all ways to write a text have in common, white space made single spaces."""
    return " ".join(same_name(text).split())


def _counted(ids: pd.Index, what: str) -> str:
    return f"{len(ids):,} {what}{'s are' if len(ids) > 1 else ' is'}"


def _first(ids: pd.Index, count: int | None = None) -> str:
    """Show the first of some ids, and say how many more there are of ``count``, by default of these."""
    count = len(ids) if count is None else count
    more = f" and {count - SHOWN:,} more" if count > SHOWN else ""
    return f"{', '.join(map(str, ids[:SHOWN]))}{more}"
