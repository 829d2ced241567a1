"""Say what a run did: method, settings and where they come from, the models, and the cost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from mmulbench.audit.wording import ABSENT, Fact, counted, interval, seconds, share
from mmulbench.core.registry import METHODS
from mmulbench.errors import MmulbenchError
from mmulbench.records.schema import OUTSIDE, Cost, RunResult, StartCheck, Tuning
from mmulbench.report.aggregate import settings_text

ORIGINS = {"default": "the method's own value", "command line": "set by hand"}
"""What is said of where a setting comes from; of others, that it was found by a study."""


class Setting(NamedTuple):
    """Holds a setting of the method, its value, and where that comes from."""

    name: str
    value: str
    origin: str


class CostLine(NamedTuple):
    """Holds one measure of cost: of unlearning, of training again, and one by the other."""

    label: str
    own: str
    retrain: str
    ratio: str


def done(result: RunResult) -> list[Fact]:
    """Return what was done, with which models.

    Args:
        result: the record.
    """
    spec = result.spec
    facts = [
        Fact("Method", _method(spec.method)),
        Fact("Kind of model", spec.backbone),
        Fact("Original", _original(result)),
        Fact("Retrain", _retrain(result)),
    ]
    if unlearned := _given(result, "unlearned"):
        facts.append(Fact("Unlearned model", unlearned))
    if result.weights is not None:
        facts.append(Fact("Digest of the unlearned weights", result.weights, is_code=True))
    facts.append(Fact("Training recipe", settings_text(spec.recipe) or "the task's own"))
    if result.start is not None:
        facts.append(Fact("Start of retrain", _start(result.start)))
    if spec.config:
        facts.append(Fact("Search for settings", _search(result.tuning)))
    return facts


def has_retrain(result: RunResult) -> bool:
    """Say whether a record compares with a model that was trained without the forget set."""
    return any(value.retrain is not None for value in result.values.values())


def settings(result: RunResult) -> list[Setting]:
    """Return the settings of the method, in the order of the record.

    Args:
        result: the record.
    """
    return [
        Setting(name, settings_text({name: value}).partition("=")[2], _origin(result.origins.get(name)))
        for name, value in result.spec.config.items()
    ]


def costs(result: RunResult) -> list[CostLine]:
    """Return what unlearning cost beside what training again did; nothing where it is not recorded.

    Args:
        result: the record.
    """
    cost = result.cost
    if cost is None:
        return []
    lines = [_line("Time", cost.seconds, cost.seconds_ratio, seconds)]
    if cost.flops is not None:
        lines.append(_line("Computation (operations)", cost.flops, cost.flops_ratio, _power))
    lines.append(CostLine("Training pairs seen", f"{cost.samples:,}", ABSENT, ABSENT))
    if cost.peak_memory_mb is not None:
        lines.append(CostLine("Memory, at most", _memory(cost), ABSENT, ABSENT))
    return lines


def _method(name: str) -> str:
    if name.startswith(OUTSIDE):
        return f"{name.removeprefix(OUTSIDE)}, whose code is not here: the model that it made was given"
    with suppress(MmulbenchError):  # of a plug-in that is not here
        return f"{name}: {METHODS.describe(name).rstrip('.')}"
    return name


def _original(result: RunResult) -> str:
    given = _given(result, "original")
    return given or "trained here on all training data, by the recipe below"


def _given(result: RunResult, name: str) -> str:
    """Say which model was given, and which commit of a hub it is; nothing where none was."""
    label, revision = result.spec.given.get(name), result.revisions.get(name, "")
    commit = f", commit {revision.rpartition('@')[2]} on the hub" if revision else ""
    return f"given: {label}{commit}" if label else ""


def _retrain(result: RunResult) -> str:
    if given := _given(result, "retrain"):
        return given
    if not has_retrain(result):
        return "none: there is no model to compare with"
    if "original" in result.spec.given:
        start = f"from {result.spec.backbone}, by the recipe below"
        return f"trained here {start}, on all training data but the forget set"
    return "trained here by the same recipe on all training data but the forget set"


def _start(start: StartCheck) -> str:
    attacks = ", ".join(
        f"{path} {share(found.value)} ({interval(found.low, found.high)})"
        for path, found in start.forget.items()
    )
    return (
        "weights from elsewhere, checked before any training: nothing showed that they had seen the forget "
        f"set (attack on them: {attacks}; from {share(start.limit, 2)} on they would have been refused)"
    )


def _search(tuning: Tuning | None) -> str:
    if tuning is None:
        return "none: the settings were not searched for"
    place = f"{tuning.task} with {tuning.backbone} (study {tuning.study_id})"
    if not tuning.found:
        return f"on {place}, in vain: no trial was within the budget, so the method's own settings were taken"
    if tuning.kept_default:
        return f"{counted(tuning.trials, 'trial')} on {place}; the method's own settings proved no worse"
    changed = f", except {', '.join(tuning.overridden)}, set by hand" if tuning.overridden else ""
    return f"best of {counted(tuning.trials, 'trial')} on {place}{changed}"


def _origin(origin: str | None) -> str:
    if origin is None:
        return "not recorded"
    return ORIGINS.get(origin, "found by search")


def _line(label: str, own: float, ratio: float | None, written: Callable[[float], str]) -> CostLine:
    if not ratio:
        return CostLine(label, written(own), ABSENT, ABSENT)
    return CostLine(label, written(own), written(own / ratio), f"{100 * ratio:.1f} %")


def _power(value: float) -> str:
    """Write a large number as ``1.55 × 10^9``, with the exponent raised."""
    digits, _, exponent = f"{value:.2e}".partition("e")
    return f"{digits} × 10{str(int(exponent)).translate(_RAISED)}"


_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def _memory(cost: Cost) -> str:
    return f"{cost.peak_memory_mb:,.0f} MiB"
