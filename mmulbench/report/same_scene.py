"""Refuse to compare runs that are not of one scene: task, forget set, original, retrain, seeds."""

from __future__ import annotations

from collections.abc import Iterable

from mmulbench.errors import UsageError
from mmulbench.records.group_key import GroupKey
from mmulbench.records.schema import RunResult, Value
from mmulbench.report.aggregate import MethodRow
from mmulbench.report.paired_rows import COMPARED

DIFFERENT = {
    "task": "other tasks: {} and {}",
    "backbone": "other backbones: {} and {}",
    "forget_size": "other forget sets: {} units and {}",
    "forget": "other forget sets: their lists differ",
    "given": "other models: those given as original or retrain differ",
    "data_fingerprint": "other data: their fingerprints differ",
    "metric_version": "other versions of the metrics: {} and {}",
    "recipe_version": "other versions of the training: {} and {}",
    "task_config": "other settings of the task: {} and {}",
    "recipe": "other recipes of the original: {} and {}",
    "plugins": "other plug-in files of task, backbone or metrics",
}
"""What runs differ in that are of two tables, by the field of `GroupKey`."""

ALIKE = 1e-9
"""Largest difference of two values of one model that was measured twice on one machine."""


def refuse_other_tables(names: tuple[str, str], first: GroupKey, second: GroupKey) -> None:
    """Refuse runs of two tables, by the first that they differ in.

    Args:
        names: how both are called.
        first: table of one.
        second: table of the other.

    Raises:
        UsageError: They are of two.
    """
    for field, own, other in zip(GroupKey._fields, first, second, strict=True):
        if own != other:
            raise UsageError(f"{names[0]} and {names[1]} are of {DIFFERENT[field].format(own, other)}")


def refuse_other_models(first: MethodRow, second: MethodRow) -> None:
    """Refuse runs without a common seed, and such as start from other originals or have other retrains.

    Args:
        first: records of one method, of one table.
        second: records of the other.

    Raises:
        UsageError: There are such.
    """
    for row in (first, second):
        _refuse_two_of_a_seed(row)
    if not set(first.done_seeds) & set(second.done_seeds):
        raise UsageError(
            f"{_with_seeds(first)} and {_with_seeds(second)} have no seed in common: run one of them with "
            "the seeds of the other"
        )
    others = {one.spec.seed: one for one in second.done}
    for own in first.done:
        if own.spec.seed in others:
            _refuse_other_references(own, others[own.spec.seed], f"{first.label} and {second.label}")


def _refuse_two_of_a_seed(row: MethodRow) -> None:
    seeds = [one.spec.seed for one in row.done]
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if twice:
        raise UsageError(
            f"{row.label} has {seeds.count(twice[0])} records of seed {twice[0]}: name one by its settings, "
            f"such as {row.method}@draw=1"
        )


def _with_seeds(row: MethodRow) -> str:
    seeds = ", ".join(map(str, row.done_seeds))
    return f"{row.label} ({f'seeds {seeds}' if seeds else 'no done record'})"


def _refuse_other_references(own: RunResult, other: RunResult, names: str) -> None:
    """Compare what two records of a seed say of the original and of retrain.

    Raises:
        UsageError: They do not say the same.
    """
    for name in _compared_names(own, other):
        for model in ("original", "retrain"):
            first, second = (_of(model, record.values[name]) for record in (own, other))
            if first is not None and second is not None and abs(first - second) > ALIKE:
                raise UsageError(
                    f"{names} have other {model}s: with seed {own.spec.seed}, {name} of {model} is "
                    f"{first:.6g} in {own.run_id} and {second:.6g} in {other.run_id}; make one of both "
                    "again where the other was made"
                )


def _compared_names(own: RunResult, other: RunResult) -> Iterable[str]:
    """Name the values of both that are compared, without headlines of paths that a run chooses itself."""
    paths = set(own.histograms)
    return [
        name
        for name in own.values
        if name in other.values
        and name.count("/") <= 1
        and (name in ("test", "retain", "forget") or name.partition("/")[2] in paths)
        and name.partition("/")[0] in COMPARED
    ]


def _of(model: str, value: Value) -> float | None:
    number: float | None = getattr(value, model)
    return number
