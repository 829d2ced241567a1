"""Gather everything that the audit of a run says, from its record and what lies around it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmulbench.audit.asked import asked
from mmulbench.audit.attacks import Mark, PathAttack, ShadowAttack, marks, path_attacks, shadow_attacks
from mmulbench.audit.done import CostLine, Setting, costs, done, has_retrain, settings
from mmulbench.audit.examples import Examples
from mmulbench.audit.limits import Limit, limits
from mmulbench.audit.made import made
from mmulbench.audit.usefulness import Utility, utilities
from mmulbench.audit.wording import Fact
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import disk_errors, read_regular
from mmulbench.records.printable import printable
from mmulbench.records.published import MINIMUM_UNITS, UTILITY_TOLERANCE
from mmulbench.records.schema import RunResult, Value
from mmulbench.records.store import read_record
from mmulbench.report.floor import UNKNOWN_FLOOR, Floor
from mmulbench.report.ranking import MINIMUM_DRAWS
from mmulbench.report.surroundings import changed_since, floor_beside
from mmulbench.report.verdict import Judgement, judge, judge_paths
from mmulbench.validity.record import reason_to_leave_out

if TYPE_CHECKING:
    from mmulbench.audit.contents import Sources

LEFT_OUT = "they were left out on request"
"""Why there are no examples where nobody wanted any."""


@dataclass(frozen=True)
class Choices:
    """Says what the audit shows.

    Attributes:
        show_ids: whether ids on the list are named, where the record holds them.
        sources: where the examples' data are; None for no examples.
    """

    show_ids: bool = False
    sources: Sources | None = None


@dataclass(frozen=True)
class Rule:
    """Holds the numbers of the verdict's rule.

    Attributes:
        units: fewest forget units that are judged.
        draws: further retrains that the noise floor takes.
        guess: noise floor where it is not measured.
        tolerance: points of utility that count as lost.
        noise: how far two retrains lie apart, on the path where that is most; None where nothing is judged.
        resolution: what the forget units resolve, on the path where that is least.
        noise_is_known: whether the noise was measured on all paths.
    """

    units: int
    draws: int
    guess: float
    tolerance: float
    noise: float | None
    resolution: float | None
    noise_is_known: bool


@dataclass(frozen=True)
class Audit:
    """Holds everything that the page says, as plain text and numbers.

    Attributes:
        run_id: id of the run.
        method: name of the method.
        task: name of the task.
        judgement: the verdict.
        rule: the numbers of its rule.
        asked: what was asked.
        done: what was done.
        settings: settings of the method.
        costs: cost beside retrain's.
        has_retrain: whether there is a model to compare with.
        attacks: the attack on each path.
        has_validation: whether the attacks are compared with validation data, for want of retrain.
        marks: places of the attacks' marks in the drawing.
        shadows: attacks by shadow models.
        utilities: utility that was kept.
        limits: what could not be known.
        examples: units that are shown, or why there are none.
        made: command, versions, machine and digests.
    """

    run_id: str
    method: str
    task: str
    judgement: Judgement
    rule: Rule
    asked: list[Fact]
    done: list[Fact]
    settings: list[Setting]
    costs: list[CostLine]
    has_retrain: bool
    attacks: list[PathAttack]
    has_validation: bool
    marks: list[Mark]
    shadows: list[ShadowAttack]
    utilities: list[Utility]
    limits: list[Limit]
    examples: Examples
    made: list[Fact]

    def as_json(self) -> dict[str, Any]:
        """Return all facts as JSON holds them, without drawing and pictures."""
        found: dict[str, Any] = _without_pictures(_plain(self))
        del found["marks"]
        return found


def gather_audit(path: Path, choices: Choices) -> Audit:
    """Read a record, and gather what its audit says.

    Args:
        path: file of the record.
        choices: what is shown.

    Raises:
        UsageError: There is no such record, ids are wanted that it does not hold, or what is given for the
            examples does not fit.
        MmulbenchError: It is no valid record, or does not hold together.
    """
    result = read_record(path)
    if (reason := reason_to_leave_out(result)) is not None:
        raise MmulbenchError(f"no report is made of a record that does not hold: {path}: {reason}")
    if choices.show_ids and not result.forget_ids:
        raise UsageError(f"--show-ids: {path} holds no ids; `run --record-ids` keeps those of a list")
    with disk_errors("read", path):
        digest = hashlib.sha256(read_regular(path)).hexdigest()
    return audit_of(result, floor_beside(result, path), _examples(result, path, choices), digest, choices)


def audit_of(result: RunResult, floor: Floor, examples: Examples, digest: str, choices: Choices) -> Audit:
    """Put together what the audit of a record says.

    Args:
        result: the record.
        floor: what other records say of its retrain.
        examples: units that are shown.
        digest: SHA-256 of the record's file.
        choices: what is shown.
    """
    changed = changed_since(result)
    result = printable(result)
    attacks = path_attacks(result, floor)
    return Audit(
        run_id=result.run_id,
        method=result.spec.method,
        task=result.spec.task,
        judgement=judge(result, floor),
        rule=_rule(result, floor),
        asked=asked(result, show_ids=choices.show_ids),
        done=done(result),
        settings=settings(result),
        costs=costs(result),
        has_retrain=has_retrain(result),
        attacks=attacks,
        has_validation=any(one.against is not None for one in attacks),
        marks=marks(attacks),
        shadows=shadow_attacks(result),
        utilities=utilities(result),
        limits=limits(result, floor, changed),
        examples=examples,
        made=made(result, digest),
    )


def _examples(result: RunResult, path: Path, choices: Choices) -> Examples:
    if choices.sources is None:
        return Examples(reason=LEFT_OUT)
    from mmulbench.audit.contents import find_examples  # torch is not for reports without examples

    return find_examples(result, path, choices.sources)


def _rule(result: RunResult, floor: Floor) -> Rule:
    paths = judge_paths(result, floor) if result.status == "done" else []
    return Rule(
        units=MINIMUM_UNITS,
        draws=MINIMUM_DRAWS,
        guess=UNKNOWN_FLOOR,
        tolerance=100 * UTILITY_TOLERANCE,
        noise=max((path.noise for path in paths), default=None),
        resolution=max((path.resolution for path in paths), default=None),
        noise_is_known=all(path.floor_is_known for path in paths),
    )


def _plain(value: Any) -> Any:
    """Return what is nested in dataclasses, named tuples and models as JSON holds it."""
    if isinstance(value, Value):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    return [*map(_plain, value)] if isinstance(value, list | tuple) else value


def _without_pictures(value: Any) -> Any:
    """Return what JSON holds, nested, without the pictures of units and of what is ranked first for them."""
    if isinstance(value, dict):
        return {name: _without_pictures(one) for name, one in value.items() if name != "pictures"}
    return [*map(_without_pictures, value)] if isinstance(value, list) else value
