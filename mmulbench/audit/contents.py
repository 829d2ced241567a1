"""Find what the chosen units look like and say: pictures, names and texts, from the task's data alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmulbench.audit.examples import Chosen, Example, Examples, choose, forget_units
from mmulbench.audit.items import Item, item_of
from mmulbench.audit.rankings import Rankings
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.core.registry import TASKS
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.hashing import canonical_json
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.records.unit_files import UnusableUnits, read_rankings, read_units

if TYPE_CHECKING:
    import pyarrow as pa

    from mmulbench.core.backbone import RawItems
    from mmulbench.core.data import Split
    from mmulbench.core.forget_set import ForgetSet
    from mmulbench.core.task import Task, TaskData
    from mmulbench.runs.forget_list import ForgetRequest

MOST_TEXTS = 2
"""Most texts of a unit that are shown."""


@dataclass(frozen=True)
class Sources:
    """Says where the examples' data are.

    Attributes:
        data_dir: folder of official data.
        cache_dir: folder of the cache, for digests of files that were taken before.
        request: list or conditions that say what was forgotten; None where the task drew it.
        progress: shows what is done.
        loaded: data that were loaded, by task and settings, so that many records of one task load them once.
        seen: by the digest of the data, items that were made small for rankings.
    """

    data_dir: Path
    cache_dir: Path
    request: ForgetRequest | None
    progress: Progress
    loaded: dict[str, tuple[Task, TaskData]] = field(default_factory=dict)
    seen: dict[str, dict[tuple[int, int], Item]] = field(default_factory=dict)


def find_examples(result: RunResult, path: Path, sources: Sources) -> Examples:
    """Choose units of the forget set, and find what they look like.

    Nothing is trained, and no model is loaded.

    Args:
        result: the record.
        path: its file.
        sources: says where the data are.

    Returns:
        The examples, or the reason why there are none.

    Raises:
        UsageError: The list is not that of the run, or does not fit the data.
    """
    if reason := _reason_of_record(result, sources.request):
        return Examples(reason=reason)
    assert result.units is not None
    table = read_units(path, result.units)
    if isinstance(table, UnusableUnits):
        return Examples(reason=f"scores by unit cannot be used: {table.reason}")
    try:
        task, data = _load(result, sources)
    except MmulbenchError as error:
        return Examples(reason=f"the data cannot be read here: {error}")
    if data.fingerprint != result.spec.data_fingerprint:
        return Examples(
            reason="the data are others today than those of the run: their digest begins with "
            f"{data.fingerprint[:12]}, not with {result.spec.data_fingerprint[:12]}"
        )
    forget = _forget_set(result, task, data, sources.request)
    if forget_units(table) != sorted(map(int, forget.units)):
        return Examples(reason="the scores by unit are not those of this forget set")
    rankings = Rankings(
        task, data, forget.forgotten(data.train), sources.seen.setdefault(data.fingerprint, {})
    )
    places = _places(read_rankings(path, result.units), rankings)
    if isinstance(places, str):
        chosen = choose(table, result.spec.seed)
        return Examples(tuple(_example(one, task, data, forget) for one in chosen), unranked=places)
    ranked = set(places["unit"].to_pylist())
    chosen = choose(table, result.spec.seed, ranked)
    found = rankings.of(places, [one.unit for one in chosen])
    shown = (replace(_example(one, task, data, forget), rankings=found[one.unit]) for one in chosen)
    return Examples(tuple(shown), among=len(ranked) if len(ranked) < len(forget.units) else None)


def _places(places: pa.Table | UnusableUnits, rankings: Rankings) -> pa.Table | str:
    """Return first places that can be shown, or why there are none."""
    if isinstance(places, UnusableUnits):
        return places.reason
    if not len(places):
        return "none were kept with the record"
    fault = rankings.fault(places)
    return f"they are not of these data: {fault}" if fault else places


def _reason_of_record(result: RunResult, request: ForgetRequest | None) -> str:
    """Say why the record alone keeps examples from being shown; empty where it does not.

    Raises:
        UsageError: A list is given for a forget set that was drawn.
    """
    if request is not None and result.spec.forget is None:
        raise UsageError("the forget set of this record was drawn by the seed: leave out --forget")
    if result.spec.forget is not None and request is None:
        return (
            "what was forgotten was named by a list or a condition, which --forget or --forget-where would "
            "have to name again"
        )
    return "no scores by unit were kept with the record" if result.units is None else ""


def _load(result: RunResult, sources: Sources) -> tuple[Task, TaskData]:
    """Load the task's data as the run did.

    Raises:
        MmulbenchError: The task is unknown or has no such settings, or data are missing or damaged.
    """
    key = canonical_json([result.spec.task, result.spec.task_config])
    if key in sources.loaded:
        return sources.loaded[key]
    cls: Any = TASKS.get(result.spec.task)
    try:
        task = cls(cls.Config(**result.spec.task_config))
    except TypeError as error:
        raise MmulbenchError(f"the task {result.spec.task} has other settings today") from error
    with sources.progress as progress, ArtifactCache(sources.cache_dir, progress.note).hints():
        sources.loaded[key] = task, task.load(sources.data_dir, progress)
    return sources.loaded[key]


def _forget_set(result: RunResult, task: Task, data: TaskData, request: ForgetRequest | None) -> ForgetSet:
    """Return the forget set of the run.

    Raises:
        UsageError: The list is another than the run's, or does not fit the data.
    """
    from mmulbench.core.forget_set import ForgetSet
    from mmulbench.runs.forget_choice import chosen

    spec = result.spec
    if request is None:
        return ForgetSet(task.forget_units(data, spec.forget_size, spec.seed))
    choice = chosen(request, task, data)
    if choice.named != spec.forget:
        assert choice.named is not None and spec.forget is not None
        raise UsageError(
            "what is given names another forget set than the record: its digest begins with "
            f"{choice.named.digest[:12]}, the record's with {spec.forget.digest[:12]}"
        )
    return choice.forget


def _example(chosen: Chosen, task: Task, data: TaskData, forget: ForgetSet) -> Example:
    first, second = (data.items[modality] for modality in task.modalities)
    pictures, name = item_of(first, chosen.unit)
    split = forget.forgotten(data.train)
    pairs = split.at(split.first == chosen.unit)
    texts = _texts(pairs, second, task)
    return Example(chosen, pictures, name, texts[:MOST_TEXTS], max(len(texts) - MOST_TEXTS, 0))


def _texts(pairs: Split, items: RawItems, task: Task) -> tuple[str, ...]:
    """Return the texts of pairs, each with its class where there are classes."""
    classes: Mapping[int, str] = dict(enumerate(task.classes))
    found = []
    for row in range(len(pairs)):
        text = item_of(items, int(pairs.second[row]))[1]
        label = "" if pairs.label is None else classes.get(int(pairs.label[row]), "")
        found.append(f"{text} (class: {label})" if label else text)
    return tuple(found)
