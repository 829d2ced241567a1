"""Trials of a method: its runs on a tiny task of one kind."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from mmulbench.conformance.batch_log import BatchLog, watched
from mmulbench.conformance.checks import SkipCheck, demand
from mmulbench.conformance.global_randomness import global_seeds, global_states, moved_since
from mmulbench.conformance.tiny_problems import FORGET, TinyProblems, tiny_problems
from mmulbench.conformance.tiny_tasks import TINY_TASKS, TinyTaskKind
from mmulbench.core.method import Method, UnlearningProblem
from mmulbench.core.model import MultimodalModel
from mmulbench.core.registry import METHODS
from mmulbench.core.training import Checkpoints, EarlyStop, Learner
from mmulbench.errors import NotApplicable, UsageError
from mmulbench.runs.prepare import PreparedTask

QUICK = {"epochs": 1, "batch_size": 8, "samples": 8, "perturbations": 8}
"""Settings that methods are tried with, where they have them: as little work as shows what they do."""


@dataclass(frozen=True)
class Attempt:
    """Holds one run of a method.

    Attributes:
        problem: problem that the method was given.
        model: model that it returned.
        disturbed: packages whose global random generator it moved.
        steps: number of steps of its trainings, as far as they keep checkpoints.
        batches: batches that it took of its sets.
    """

    problem: UnlearningProblem
    model: MultimodalModel
    disturbed: tuple[str, ...]
    steps: int
    batches: BatchLog


class Kill(BaseException):
    """Ends a method as a kill would."""


class _StepCounter(Checkpoints):
    """Counts the steps of all trainings, and ends the work before one of them.

    Args:
        kill_before: number of the step, from 1; 0 for none.
        kept: checkpoints that keep the state then.
    """

    def __init__(self, kill_before: int = 0, kept: Checkpoints | None = None) -> None:
        self.steps = 0
        self._kill_before = kill_before
        self._kept = kept or Checkpoints()

    def take_up(self, learner: Learner, stop: EarlyStop) -> int:
        """Begin a training, or go on."""
        return self._kept.take_up(learner, stop)

    def before_step(self, learner: Learner, stop: EarlyStop, done: int) -> None:
        """Count, and end the work where it is time to.

        Raises:
            Kill: this is the step to end at.
        """
        self.steps += 1
        if self.steps == self._kill_before:
            self._kept.before_step(learner, stop, done)
            raise Kill


class MethodTrial:
    """Tries a method on one kind of task.

    Args:
        name: registered name of the method.
        kind: kind of task.
        settings: settings that differ from the default ones.
    """

    def __init__(self, name: str, kind: TinyTaskKind, settings: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.cls: type[Method] = METHODS.get(name)
        self.kind = kind
        self._settings = dict(settings or {})

    @property
    def label(self) -> str:
        """The kind of task."""
        return self.kind.name

    @cached_property
    def tiny(self) -> TinyProblems:
        """The tiny task.

        Raises:
            SkipCheck: where a package is missing.
        """
        try:
            return tiny_problems(self.kind.name)
        except UsageError as error:
            raise SkipCheck(str(error)) from error

    def method(self, **settings: Any) -> Method:
        """Return the method with quick settings, and some of its own where it has them."""
        config = self.cls.Config()
        known = {field.name for field in fields(config)}
        wanted = {**QUICK, **self._settings, **settings}
        return self.cls(replace(config, **{name: wanted[name] for name in wanted if name in known}))

    def attempt(
        self,
        size: int = FORGET,
        *,
        method: Method | None = None,
        prepared: PreparedTask | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Attempt:
        """Run the method.

        Args:
            size: number of units to forget.
            method: method to run instead of the one with quick settings.
            prepared: the task in another state than as it was made.
            checkpoints: where its trainings begin, and where they keep their states.

        Raises:
            SkipCheck: where it does not apply to the task.
            Diverged: when it does.
            ContractViolation: it returns no model.
        """
        if reason := self.cls.applies_to(self.kind.task()):
            raise SkipCheck(reason)
        counted = _StepCounter()
        problem, log = self.tiny.problem(size, prepared), BatchLog()
        problem = replace(
            problem,
            forget=watched(problem.forget, log),
            retain=watched(problem.retain, log),
            validation=watched(problem.validation, log),
            checkpoints=checkpoints or counted,
        )
        method = method or self.method()
        before = global_states()
        try:
            with problem.meter:
                model = method.unlearn(problem)
        except NotApplicable as error:
            raise SkipCheck(str(error)) from error
        disturbed = moved_since(before)
        demand(
            isinstance(model, MultimodalModel),
            f"unlearn returned a {type(model).__name__}: let it return the unlearned model",
        )
        return Attempt(problem, model, disturbed, counted.steps, log)

    def resumed(self, method: Method, kill_before: int) -> Attempt:
        """Run a method, kill it before one of its steps, and run it again from the checkpoint.

        Args:
            method: the method to run.
            kill_before: number of the step, from 1.
        """
        kept, found = self.tiny.checkpoints(self.name), self.tiny.checkpoints(self.name)
        try:
            with contextlib.suppress(Kill):
                self.attempt(method=method, checkpoints=_StepCounter(kill_before, kept))
            return self.attempt(method=method, checkpoints=found)
        finally:
            found.clear()

    @cached_property
    def usual(self) -> Attempt:
        """One run on a forget set of the usual size."""
        return self.attempt()

    @cached_property
    def repeated(self) -> Attempt:
        """The same run with other global random seeds."""
        with global_seeds(987_654_321):
            return self.attempt()


def method_trials(name: str, settings: Mapping[str, Any] | None = None) -> list[MethodTrial]:
    """Return a trial of a method on every kind of task.

    Args:
        name: registered name of the method.
        settings: settings that differ from the default ones.

    Raises:
        UsageError: the method is unknown.
    """
    return [MethodTrial(name, kind, settings) for kind in TINY_TASKS]
