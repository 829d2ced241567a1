"""Set every association path's attack beside retrain's and the original's, and mark them on a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mmulbench.core.metric import AGAINST_VALIDATION, VALIDATION, PopulationMetric
from mmulbench.core.registry import METRICS
from mmulbench.metrics.catalogue import ORDER
from mmulbench.metrics.shadow_attacks import DIFFERENCE
from mmulbench.records.schema import RunResult, Value
from mmulbench.report.floor import Floor, attack_key, attacked_paths
from mmulbench.report.verdict import judge_paths

CHANCE = 0.5
"""AUC of an attack that cannot tell what was forgotten from what nobody trained on."""

LIKE_VALIDATION = "cannot be told from validation data"
SURER = "surer than of validation data"
LESS_SURE = "less sure than of validation data"
AWAY = ("above .5", "below .5", SURER, LESS_SURE)
"""Findings without retrain that the attack sees something."""

ROW_HEIGHT = 44
"""Height of a path in the drawing, in pixels."""


@dataclass(frozen=True)
class PathAttack:
    """Holds the attack on one association path.

    Attributes:
        path: name of the path.
        value: AUC of the attack on the unlearned model; None where it could not be computed.
        low: lower end of its 95 % interval.
        high: upper end of it.
        retrain: AUC on retrain; None without one.
        original: AUC on the original.
        pairs: pairs that it rests on.
        allowed: how far from retrain's it may lie and be no difference; None without retrain.
        finding: what that comes to.
        validation: the same attack on validation data; None with retrain, and in records from before.
        against: the attack that tells the forget set from validation data; None likewise.
    """

    path: str
    value: float | None
    low: float | None
    high: float | None
    retrain: float | None
    original: float | None
    pairs: int
    allowed: float | None
    finding: str
    validation: Value | None = None
    against: Value | None = None


class Mark(NamedTuple):
    """Holds where a path's marks lie in the drawing: across in per cent, down in pixels.

    Attributes:
        path: name of the path.
        label: height of the name.
        line: height of the marks.
        value: place of the unlearned model's dot.
        low: left end of its whisker.
        high: right end of it.
        retrain: place of retrain's line.
        original: place of the original's ring.
        validation: place of the line of validation data.
        unseen_from: left end of its band.
        unseen_to: right end of it.
    """

    path: str
    label: int
    line: int
    value: float
    low: float | None
    high: float | None
    retrain: float | None
    original: float | None
    validation: float | None = None
    unseen_from: float | None = None
    unseen_to: float | None = None


class ShadowAttack(NamedTuple):
    """Holds an attack that rests on shadow models, on one path.

    Attributes:
        title: name of the attack.
        path: association path.
        value: what it tells by deleted pairs; of an attack without a control its headline.
        control: what it tells by test pairs, which no model has seen; None where it has no control.
        chance: what it tells where nothing is to be seen.
    """

    title: str
    path: str
    value: Value
    control: float | None
    chance: float | None


def path_attacks(result: RunResult, floor: Floor) -> list[PathAttack]:
    """Return the attack on each association path.

    Args:
        result: the record.
        floor: what other records say of its retrain.
    """
    judged = {one.path: one for one in judge_paths(result, floor)} if result.status == "done" else {}
    found = []
    for path in attacked_paths(result):
        value, own = result.values[attack_key(path)], judged.get(path)
        unseen = [
            result.values.get(f"{attack_key(path)}/{part}") for part in (VALIDATION, AGAINST_VALIDATION)
        ]
        validation, against = unseen if value.retrain is None else (None, None)
        found.append(
            PathAttack(
                path,
                value.value,
                value.low,
                value.high,
                value.retrain,
                value.original,
                value.n,
                None if own is None else max(own.noise, own.resolution),
                own.leak if own is not None else _beside_unseen(value, against),
                validation,
                against,
            )
        )
    return found


def marks(attacks: list[PathAttack]) -> list[Mark]:
    """Return where the marks of each path with a number lie.

    Args:
        attacks: the attacks.
    """
    known = [one for one in attacks if one.value is not None]
    return [
        Mark(
            one.path,
            ROW_HEIGHT * row + 14,
            ROW_HEIGHT * row + 30,
            _across(one.value) or 0.0,
            _across(one.low),
            _across(one.high),
            _across(one.retrain),
            _across(one.original),
            *((None,) * 3 if one.validation is None else _ends(one.validation)),
        )
        for row, one in enumerate(known)
    ]


def shadow_attacks(result: RunResult) -> list[ShadowAttack]:
    """Return what attacks by shadow models found on each path; nothing where none were made.

    Args:
        result: the record.
    """
    metrics = [METRICS.get(name)(name) for name in ORDER]
    found = []
    for metric in metrics:
        if isinstance(metric, PopulationMetric):
            start = f"{metric.name}/"
            keys = sorted(key for key in result.values if key.startswith(start) and key.count("/") == 1)
            found += [
                ShadowAttack(metric.title, key.removeprefix(start), value, control, value.chance)
                for key in keys
                for value, control in [_with_control(result, key)]
            ]
    return found


def _with_control(result: RunResult, key: str) -> tuple[Value, float | None]:
    """Return what an attack tells by deleted pairs and by test pairs; without a control, its headline."""
    if f"{key}/{DIFFERENCE}" not in result.values:
        return result.values[key], None
    return result.values[f"{key}/forget"], result.values[f"{key}/test"].value


def _across(value: float | None) -> float | None:
    """Return a share in per cent of the line, which ends at 0 and 1."""
    return None if value is None else round(100 * min(max(value, 0.0), 1.0), 2)


def _ends(value: Value) -> tuple[float | None, float | None, float | None]:
    """Return a value and the ends of its interval in per cent of the line."""
    return _across(value.value), _across(value.low), _across(value.high)


def _beside_unseen(value: Value, against: Value | None) -> str:
    """Say how an attack lies to validation data, or to .5, where there is no retrain to compare it with.

    Args:
        value: the attack.
        against: the attack that tells the forget set from validation data; None where there is none.
    """
    if value.value is None:
        return "not known"
    if against is not None and against.low is not None and against.high is not None:
        if against.low <= CHANCE <= against.high:
            return LIKE_VALIDATION
        return SURER if against.low > CHANCE else LESS_SURE
    if value.low is None or value.high is None:
        return "not judged: no interval"
    if value.low <= CHANCE <= value.high:
        return "cannot be told from .5"
    return "above .5" if value.value > CHANCE else "below .5"
