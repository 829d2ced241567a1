"""The rules that every unlearning method must hold to, tried on a tiny model of every kind of task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmulbench.conformance.checks import Check, ContractViolation, SkipCheck, demand, is_frozen
from mmulbench.conformance.method_trial import MethodTrial
from mmulbench.conformance.tiny_problems import MOST, ONE
from mmulbench.core.descent import Descent
from mmulbench.core.method import UnlearningProblem
from mmulbench.core.model import MultimodalModel
from mmulbench.core.registry import METHODS
from mmulbench.errors import Diverged

HUGE_LR = 1e30
"""Learning rate that makes every training diverge."""

UNEVEN = 7
"""Batch size that goes once and a bit into each tiny set, so that slicing leaves a rest."""


def method_checks() -> list[Check]:
    """Return everything a method must hold to, in the order in which to read it."""
    return [
        Check(describes_itself, once=True),
        Check(settings_can_be_recorded, once=True),
        *(Check(run) for run in EVERYWHERE),
    ]


def describes_itself(trial: MethodTrial) -> None:
    """It has a description, and every setting has a line in Config's docstring."""
    demand(bool(METHODS.describe(trial.name).strip()), "write a docstring: its first line is what lists show")
    texts = "\n".join(cls.__doc__ or "" for cls in trial.cls.Config.__mro__)
    for field in fields(trial.cls.Config):
        demand(
            f"{field.name}:" in texts,
            f"the setting {field.name} is not explained: add a line '{field.name}: …' with its meaning and "
            f"where its default is from to the docstring of {trial.cls.__name__}.Config",
        )


def settings_can_be_recorded(trial: MethodTrial) -> None:
    """Config is a frozen dataclass of numbers, words and switches, each with a default."""
    cls = trial.cls
    demand(is_frozen(cls.Config), f"decorate {cls.__name__}.Config with @dataclass(frozen=True)")
    config = cls.Config()
    demand(
        cls().config == config, f"{cls.__name__}() must have the default settings: leave __init__ as it is"
    )
    for name, value in asdict(config).items():
        demand(
            isinstance(value, bool | int | float | str | None)
            and not (isinstance(value, float) and not math.isfinite(value)),
            f"the setting {name} is {value!r}: use a finite number, a string, True, False or None",
        )


def says_where_it_applies(trial: MethodTrial) -> None:
    """applies_to gives None, or one line that says why not."""
    reason = trial.cls.applies_to(trial.kind.task())
    demand(
        reason is None or (isinstance(reason, str) and bool(reason.strip()) and "\n" not in reason),
        f"applies_to returned {reason!r}: return None where the method applies, else the reason in one line",
    )


def returns_a_model_of_its_own(trial: MethodTrial) -> None:
    """It runs, and returns a finite model of its own, in evaluation mode, with the original's outputs."""
    problem, model = trial.usual.problem, trial.usual.model
    demand(not model.training, "the model is in training mode: end with `return model.eval()`")
    _demand_finite(model)
    original = {id(value) for value in _tensors(problem.original)}
    places = {value.data_ptr() for value in _tensors(problem.original) if value.numel()}
    shared = [
        name
        for name, value in model.state_dict(keep_vars=True).items()
        if id(value) in original or value.data_ptr() in places
    ]
    _demand_none(shared, "of the model share the original's memory: start from problem.copy_of_original()")
    _demand_same_shapes(problem, model)


def leaves_the_original_alone(trial: MethodTrial) -> None:
    """The original stays bit for bit what it was, frozen and in evaluation mode."""
    original = trial.usual.problem.original
    moved = changed(trial.tiny.original.state_dict(), original)
    _demand_none(moved, "of the original changed: train problem.copy_of_original() instead")
    demand(not original.training, "the original is in training mode: leave problem.original as it is")
    demand(
        not any(p.requires_grad for p in original.parameters()),
        "the original's parameters want gradients: leave problem.original as it is",
    )


def moves_only_what_trains(trial: MethodTrial) -> None:
    """Parameters that its learner does not train stay as they were."""
    method = trial.method()
    if not isinstance(method, Descent):
        raise SkipCheck("it has no learner of its own to ask; only methods that extend Descent have")
    now, problem = dict(trial.usual.model.named_parameters()), trial.tiny.problem()
    started = method.start(problem).train()
    method.learner(started, problem)
    frozen = {name: p for name, p in started.named_parameters() if not p.requires_grad and name in now}
    if not frozen:
        raise SkipCheck("it trains all parameters")
    moved = [name for name, value in frozen.items() if not torch.equal(value, now[name])]
    _demand_none(
        moved,
        "moved, though the learner does not train it: give it to the learner (`trainable` or `learner` say "
        "what trains), or leave it alone",
    )


def is_deterministic(trial: MethodTrial) -> None:
    """The same problem gives the same weights, bit for bit, whatever the global random seeds are."""
    _demand_none(
        changed(trial.usual.model.state_dict(), trial.repeated.model),
        "came out otherwise when run again: draw only from problem.generator(name), or in a block "
        "`with mmulbench.torch_seeded(problem.seed, name)`",
    )


def goes_on_after_a_kill(trial: MethodTrial) -> None:
    """Kill in the middle of training and run again, it comes out as if nothing had been."""
    if not trial.usual.steps:
        raise SkipCheck("it has no training that keeps checkpoints; a killed run begins again")
    if changed(trial.usual.model.state_dict(), trial.repeated.model):
        raise SkipCheck("it cannot be told while the same problem gives different weights")
    method, whole = trial.method(), trial.usual
    if whole.steps == 1:
        method = trial.method(epochs=2)
        whole = trial.attempt(method=method)
    resumed = trial.resumed(method, kill_before=whole.steps)
    _demand_none(
        changed(whole.model.state_dict(), resumed.model),
        "comes out otherwise when the run was killed and went on: let the loss keep nothing from step to "
        "step, and draw batches by generators of their own (problem.generator)",
    )
    demand(
        resumed.problem.meter.cost().steps == whole.problem.meter.cost().steps,
        "its steps are counted otherwise when the run was killed and went on: count them through the learner",
    )


def leaves_global_randomness_alone(trial: MethodTrial) -> None:
    """The global random generators are afterwards as they were."""
    demand(
        not trial.usual.disturbed,
        f"it moved the global generator of {' and '.join(trial.usual.disturbed)}: draw in a block "
        "`with mmulbench.torch_seeded(problem.seed, name)`, or from problem.generator(name)",
    )


def sees_no_test_data(trial: MethodTrial) -> None:
    """The weights do not depend on what the test data looks like."""
    before = trial.usual.model.state_dict()
    if changed(before, trial.repeated.model):
        raise SkipCheck("it cannot be told while the same problem gives different weights")
    demand(
        not changed(before, trial.attempt(prepared=trial.tiny.without_test_data()).model),
        "the weights change with the test data: read only items of problem.forget, problem.retain and "
        "problem.validation",
    )


def forgets_a_single_unit(trial: MethodTrial) -> None:
    """A forget set of one unit leaves finite weights."""
    _demand_finite(trial.attempt(ONE).model)


def forgets_almost_everything(trial: MethodTrial) -> None:
    """A forget set larger than the retain set leaves finite weights."""
    _demand_finite(trial.attempt(MOST).model)


def reports_divergence(trial: MethodTrial) -> None:
    """With an absurd learning rate it raises Diverged, and never returns weights that are not finite."""
    if "lr" not in {field.name for field in fields(trial.cls.Config)}:
        raise SkipCheck("it has no setting lr")
    try:
        model = trial.attempt(method=trial.method(lr=HUGE_LR, epochs=3)).model
    except Diverged:
        return
    _demand_finite(model)


def counts_its_work(trial: MethodTrial) -> None:
    """Work that moves a weight is charged to the cost meter."""
    problem, model = trial.usual.problem, trial.usual.model
    if not changed(problem.original.state_dict(), model):
        raise SkipCheck("it moves no weight")
    demand(
        problem.meter.cost().samples > 0,
        "its cost is zero: train with mmulbench.descend, or take steps by problem.meter.step",
    )


def takes_no_step_on_a_small_rest(trial: MethodTrial) -> None:
    """The batches of a pass over a set differ in size by one pair at most."""
    sliced = "batch_size" in {field.name for field in fields(trial.cls.Config)}
    log = trial.attempt(method=trial.method(**({"batch_size": UNEVEN} if sliced else {}))).batches
    if not log:
        raise SkipCheck("it takes no batch")
    uneven = [", ".join(map(str, sizes)) for sizes in log.uneven()]
    demand(
        not uneven,
        f"it went over a set in batches of {' and of '.join(uneven)} pairs, and a step on a small rest moves "
        "the model as far as any: take batches from problem.retain.epoch(size, rng) or paired_epochs",
    )


EVERYWHERE = (
    says_where_it_applies,
    returns_a_model_of_its_own,
    leaves_the_original_alone,
    moves_only_what_trains,
    is_deterministic,
    goes_on_after_a_kill,
    leaves_global_randomness_alone,
    sees_no_test_data,
    forgets_a_single_unit,
    forgets_almost_everything,
    reports_divergence,
    counts_its_work,
    takes_no_step_on_a_small_rest,
)
"""Checks that are tried on every kind of task."""


def changed(before: Mapping[str, Tensor], model: nn.Module) -> list[str]:
    """Return the names of the weights that are not bit for bit what they were, or that were not there.

    Args:
        before: weights by name.
        model: the model as it is now.
    """
    return [
        name
        for name, value in model.state_dict().items()
        if name not in before or not torch.equal(value, before[name])
    ]


def _tensors(model: nn.Module) -> list[Tensor]:
    return list(model.state_dict(keep_vars=True).values())


def _demand_none(weights: list[str], otherwise: str) -> None:
    """Raise `ContractViolation` where there are such weights, naming the first.

    Raises:
        ContractViolation: there are some.
    """
    if weights:
        more = f" and {len(weights) - 1} more weights" if len(weights) > 1 else ""
        raise ContractViolation(f"{weights[0]}{more} {otherwise}")


def _demand_finite(model: nn.Module) -> None:
    _demand_none(
        [name for name, value in model.state_dict().items() if not value.isfinite().all()],
        "came out infinite or NaN: end with mmulbench.check_finite, which raises Diverged",
    )


def _demand_same_shapes(problem: UnlearningProblem, model: MultimodalModel) -> None:
    """Demand that the model judges pairs the way the original does."""
    batch = problem.validation.batch(np.arange(2))
    found, expected = (_shapes(one, batch) for one in (model, problem.original))
    demand(
        found == expected,
        f"the model gives outputs of shapes {found}, the original of {expected}: undo what you added to it",
    )


@torch.no_grad()
def _shapes(model: MultimodalModel, batch: Any) -> dict[str, tuple[int, ...]]:
    first, second = model.encode_batch(batch)
    fused = model.fuse(first, second)
    return {name: tuple(value.shape) for name, value in model.logits(first, second, fused).items()}
