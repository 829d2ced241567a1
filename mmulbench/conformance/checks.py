"""Checks, what they look at, and their outcomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from mmulbench.failure import located


class ContractViolation(AssertionError):
    """Says that something does not hold that must; the text says what to do."""


class SkipCheck(Exception):
    """Says that a check has no meaning here; the text says why."""


class Caveat(Exception):
    """Says what users should know of what holds, or of what cannot be mended; the text says how far."""


class ContractTrial(Protocol):
    """Describes what a check looks at."""

    @property
    def label(self) -> str:
        """Where it is tried, such as the kind of task; empty where there is one place only."""


T = TypeVar("T", bound=ContractTrial)


@dataclass(frozen=True)
class Check:
    """Describes one thing that must hold.

    Attributes:
        run: raises `ContractViolation` where it does not hold, `SkipCheck` where it has no meaning, `Caveat`
            where there is something to know; may return what it measured.
        once: whether one trial says it all.
    """

    run: Callable[[Any], str | None]
    once: bool = False

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.run.__name__

    @property
    def rule(self) -> str:
        """What must hold: the first line of the function's docstring, without its full stop."""
        return (self.run.__doc__ or self.name).strip().splitlines()[0].rstrip(".")

    def __str__(self) -> str:
        """Return the name, which is what pytest calls a parameter."""
        return self.name


Status = Literal["passed", "noted", "failed", "skipped"]
"""What came of a check."""


@dataclass(frozen=True)
class Outcome:
    """Holds what came of a check.

    Attributes:
        check: name of the check.
        rule: the rule that must hold.
        status: passed, noted where it passed with something to know, failed, or skipped where the check had a
            meaning nowhere.
        reason: why it failed or was skipped, or what is to be known, one line; where it passed, what was
            measured, if anything.
        on: labels of the trials it passed on.
        left_out: by label, why it was skipped on other trials.
        seconds: time that the check took, in seconds.
    """

    check: str
    rule: str
    status: Status
    reason: str
    on: tuple[str, ...]
    left_out: dict[str, str]
    seconds: float


def demand(holds: bool, otherwise: str) -> None:
    """Raise `ContractViolation` unless something holds.

    Args:
        holds: whether it does.
        otherwise: one line that says what is wrong and what to do.

    Raises:
        ContractViolation: it does not hold.
    """
    if not holds:
        raise ContractViolation(otherwise)


def is_frozen(cls: Any) -> bool:
    """Return whether a class is a frozen dataclass."""
    parameters = getattr(cls, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def run_check(
    check: Check,
    trials: Sequence[ContractTrial],
    raised: Callable[[Exception], None] = lambda error: None,
) -> Outcome:
    """Run a check on every trial until it fails.

    Args:
        check: the check to run.
        trials: what it looks at, one after another.
        raised: told of an error inside the check.

    An error inside the check counts as a failure: with what it says and where it was raised.
    """
    started = time.perf_counter()
    on: list[str] = []
    left_out: dict[str, str] = {}

    measured: list[str] = []
    status: Status = "passed"

    def outcome(status: Status, reason: str) -> Outcome:
        seconds = time.perf_counter() - started
        return Outcome(check.name, check.rule, status, reason, tuple(on), left_out, seconds)

    for trial in trials[:1] if check.once else trials:
        place = f"{trial.label}: " if trial.label and not check.once else ""
        try:
            said = check.run(trial)
        except Caveat as caveat:
            said, status = str(caveat), "noted"
        except SkipCheck as reason:
            left_out[trial.label] = str(reason)
            continue
        except ContractViolation as reason:
            return outcome("failed", f"{place}{reason}")
        except Exception as error:
            raised(error)
            return outcome("failed", f"{place}raised {located(error)}")
        on.append(trial.label)
        measured += [f"{place}{said}"] if said else []
    return (
        outcome(status, "; ".join(measured))
        if on
        else outcome("skipped", "; ".join(dict.fromkeys(left_out.values())))
    )
