"""Check what a record says around its values: where it failed, where models were made and started from."""

from __future__ import annotations

from collections.abc import Iterator

from mmulbench.failure import KEPT
from mmulbench.records.schema import METRIC_VERSION, RunResult, StartAttack, StartCheck
from mmulbench.validity.findings import Finding, shown

MODELS = ("original", "retrain")
"""Models that a run takes from the cache."""

WITHOUT_FAILURE = ("done", "not_applicable")
"""Statuses of runs that nothing went wrong in."""

SETS = ("forget", "test")
"""Sets that initial weights have a utility on."""


def check_facts(record: RunResult) -> Iterator[Finding]:
    """Yield what does not agree.

    Args:
        record: the record.
    """
    yield from _check_trace(record)
    yield from _check_models(record)
    if record.units is not None and record.status != "done":
        yield Finding("units", "are named", f"null, since the status is {record.status}")
    if record.start is not None:
        yield from _check_start(record, record.start)
    yield from _check_added(record)


def _check_trace(record: RunResult) -> Iterator[Finding]:
    if record.trace and record.status in WITHOUT_FAILURE:
        yield Finding("trace", "is not empty", f"empty, since the status is {record.status}")
    if len(record.trace) > KEPT:
        yield Finding("trace", f"has {len(record.trace)} places", f"of {KEPT} at most")
    for number, frame in enumerate(record.trace):
        if frame.line < 1:
            yield Finding(f"trace.{number}.line", f"is {frame.line}", "1 or more")
        for name in ("file", "function"):
            if not getattr(frame, name):
                yield Finding(f"trace.{number}.{name}", "is empty", "a name")


def _check_models(record: RunResult) -> Iterator[Finding]:
    compared = any(value.retrain is not None for value in record.values.values())
    for name, made in record.models.items():
        if name not in MODELS:
            yield Finding(f"models.{shown(name)}", "is no model of a run", " or ".join(MODELS))
        elif not record.values:
            yield Finding(f"models.{name}", "is there", "absent, since no model was measured")
        elif name == "retrain" and not compared:
            yield Finding("models.retrain", "is there", "absent, since there is no retrain")
        if made.threads < 1:
            yield Finding(f"models.{shown(name)}.threads", f"is {made.threads}", "1 or more")
        if not made.device:
            yield Finding(f"models.{shown(name)}.device", "is empty", "a name")


def _check_start(record: RunResult, start: StartCheck) -> Iterator[Finding]:
    from mmulbench.metrics.memory import LIMIT  # it takes long to import, and few records have a start

    if "@" not in record.spec.backbone:
        yield Finding("start", "is there", "absent, since the initial weights are random")
    if start.forget.keys() != start.retain.keys() or not start.forget:
        yield Finding("start.retain", "is of other paths", "of those of start.forget, and there")
    for part, attacks in (("forget", start.forget), ("retain", start.retain)):
        for path, attack in attacks.items():
            yield from _check_attack(f"start.{part}.{shown(path)}", attack)
    for path, attack in start.forget.items():
        if attack.low > start.limit:
            wanted = f"{shown(start.limit)} at most, or the weights have seen the forget set"
            yield Finding(f"start.forget.{shown(path)}.low", f"is {shown(attack.low)}", wanted)
    if record.spec.metric_version == METRIC_VERSION and start.limit != LIMIT:
        yield Finding("start.limit", f"is {shown(start.limit)}", shown(LIMIT))
    if start.utility.keys() != set(SETS):
        yield Finding(
            "start.utility", f"is of {', '.join(start.utility) or 'nothing'}", f"of {' and '.join(SETS)}"
        )
    for name, number in start.utility.items():
        if not 0 <= number <= 1:
            yield Finding(f"start.utility.{shown(name)}", f"is {shown(number)}", "in the range from 0 to 1")


def _check_added(record: RunResult) -> Iterator[Finding]:
    metrics = {name.partition("/")[0] for name in record.values}
    for number, one in enumerate(record.added):
        for field, names, known in (
            ("metrics", one.metrics, metrics),
            ("plugins", one.plugins, {*one.metrics}),
            ("differing", one.differing, record.values.keys()),
        ):
            if lost := [name for name in names if name not in known]:
                wanted = "a metric that was added" if field == "plugins" else "what there are values of"
                yield Finding(f"added.{number}.{field}", f"names {shown(lost[0])}", wanted)


def _check_attack(field: str, attack: StartAttack) -> Iterator[Finding]:
    if not 0 <= attack.low <= attack.value <= attack.high <= 1:
        found = f"is {shown(attack.value)} between {shown(attack.low)} and {shown(attack.high)}"
        yield Finding(field, found, "an AUC within its interval, from 0 to 1")
