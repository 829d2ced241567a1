"""Check how a record says its run ended: status, times, cost, and where its settings come from."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from mmulbench.core.metric import PopulationMetric
from mmulbench.core.registry import METRICS
from mmulbench.core.reproduce import all_settings
from mmulbench.records.schema import Cost, RunResult
from mmulbench.validity.findings import Finding, shown
from mmulbench.validity.parts import is_close
from mmulbench.validity.values import metric_called

RETRAIN = "retrain"
"""Method whose record compares retrain with itself."""

ORIGINS = ("default", "command line")


def check_outcome(record: RunResult) -> Iterator[Finding]:
    """Yield what does not agree.

    Args:
        record: the record.
    """
    yield from _check_status(record)
    if record.finished < record.started:
        times = f"is {record.finished.isoformat()}"
        yield Finding("finished", times, f"not before it started, {record.started.isoformat()}")
    if record.cost is not None:
        yield from _check_cost(record, record.cost)
    yield from _check_shadows(record)
    yield from _check_origins(record)


def _check_status(record: RunResult) -> Iterator[Finding]:
    if record.status == "done":
        if not record.values:
            yield Finding("values", "are empty", "there, since the status is done")
        if record.cost is None and not _was_given(record):
            yield Finding("cost", "is null", "there, since the status is done")
        if record.reason is not None:
            yield Finding("reason", f"is {shown(record.reason)}", "null, since the status is done")
        return
    if record.values or record.cost is not None:
        yield Finding("status", f"is {record.status}", "done, since there are values or a cost")
    if not record.reason:
        yield Finding("reason", "is empty", f"there, since the status is {record.status}")


def _was_given(record: RunResult) -> bool:
    """Tell whether the judged model was made elsewhere, so that its cost may be unknown."""
    given = record.spec.given
    return "unlearned" in given or (record.spec.method == RETRAIN and "retrain" in given)


def _check_cost(record: RunResult, cost: Cost) -> Iterator[Finding]:
    for name in ("flops", "peak_memory_mb", "seconds_ratio", "flops_ratio"):
        number = getattr(cost, name)
        if number is not None and number < 0:
            yield Finding(f"cost.{name}", f"is {shown(number)}", "0 or more")
    for name in ("seconds", "flops"):
        part, ratio = getattr(cost, name), getattr(cost, f"{name}_ratio")
        if ratio is None:
            continue
        if part is None or (part == 0) != (ratio == 0):
            wanted = f"of the same sign as {name}, {shown(part)}"
            yield Finding(f"cost.{name}_ratio", f"is {shown(ratio)}", wanted)
        if record.spec.method == RETRAIN and not is_close(ratio, 1.0):
            yield Finding(f"cost.{name}_ratio", f"is {shown(ratio)}", "1, since this is retrain itself")
    compared = any(value.retrain is not None for value in record.values.values())
    compared = compared and "retrain" not in record.spec.given  # nobody knows what that one cost
    if record.values and compared != (cost.seconds_ratio is not None):
        wanted = "there, since retrain's values are" if compared else "null, since there is no retrain"
        yield Finding("cost.seconds_ratio", f"is {shown(cost.seconds_ratio)}", wanted)


def _check_shadows(record: RunResult) -> Iterator[Finding]:
    if record.shadows:
        return
    if judged := [
        name for name in record.values if "/" not in name and _needs_shadows(name, METRICS.changes)
    ]:
        yield Finding("shadows", "is 0", f"above 0, since there is {judged[0]}")


@functools.lru_cache(maxsize=1024)
def _needs_shadows(name: str, changes: int) -> bool:
    return isinstance(metric_called(name), PopulationMetric)


def _check_origins(record: RunResult) -> Iterator[Finding]:
    """Compare where settings come from with the settings, and with the study that is named."""
    study = None if record.tuning is None else f"study {record.tuning.study_id}"
    if not record.origins:
        return
    if lacking := record.origins.keys() ^ all_settings(record.spec).keys():
        yield Finding(
            "origins", f"differ from the settings in {', '.join(sorted(lacking))}", "of each setting"
        )
    for name, origin in record.origins.items():
        if origin not in ORIGINS and origin != study:
            yield Finding(
                f"origins.{name}", f"is {shown(origin)}", " or ".join([*ORIGINS, *filter(None, [study])])
            )
