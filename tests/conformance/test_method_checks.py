"""Each check of the contract of methods finds what it is there for, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from mmulbench.conformance.checks import run_check
from mmulbench.conformance.method_checks import method_checks
from mmulbench.conformance.method_trial import MethodTrial
from mmulbench.conformance.tiny_tasks import TINY_TASKS
from mmulbench.core.data import Batch, PairData
from mmulbench.core.method import Method
from mmulbench.core.registry import METHODS
from mmulbench.core.training import Learner
from mmulbench.errors import NotApplicable
from mmulbench.methods.finetune import Finetune
from mmulbench.seeds import torch_seeded

NAME = "method_of_a_check"
PAIRS = TINY_TASKS[1]
"""Classification is the quickest."""


class Nudge(Method):
    """Adds a little to every weight: a good method, if the little is a constant."""

    def amount(self, problem):
        return 0.1

    def unlearn(self, problem):
        model = problem.copy_of_original()
        problem.meter.step("nudge", 1, lambda: self.move(model, self.amount(problem)))
        return model

    @torch.no_grad()
    def move(self, model, amount):
        for parameter in model.parameters():
            parameter.add_(amount)


class Melted(Nudge):
    @dataclass
    class Config:
        """Can be changed later."""


class Listed(Nudge):
    @dataclass(frozen=True)
    class Config:
        """Holds what no record can.

        Attributes:
            rates: how much.
        """

        rates: tuple[float, ...] = (0.1, 0.2)


class Endless(Nudge):
    @dataclass(frozen=True)
    class Config:
        """Holds what no record can.

        Attributes:
            rate: how much.
        """

        rate: float = float("inf")


class Unsaid(Nudge):
    @dataclass(frozen=True)
    class Config:
        """Says nothing of its setting."""

        strength: float = 0.1


class Vague(Nudge):
    @classmethod
    def applies_to(cls, task):
        return ""


class Forgetful(Nudge):
    def unlearn(self, problem):
        super().unlearn(problem)


class Training(Nudge):
    def unlearn(self, problem):
        return super().unlearn(problem).train()


class Hollow(Nudge):
    def amount(self, problem):
        return float("nan")


class Lazy(Nudge):
    def unlearn(self, problem):
        return problem.original


class Grown(Nudge):
    def unlearn(self, problem):
        model = super().unlearn(problem)
        with torch_seeded(problem.seed, "head"):
            model.classes = nn.Linear(32, 5).eval()
        return model


class Careless(Nudge):
    def unlearn(self, problem):
        self.move(problem.original, 0.1)
        return super().unlearn(problem)


class Waking(Nudge):
    def unlearn(self, problem):
        problem.original.requires_grad_()
        return super().unlearn(problem)


class Leaky(Finetune):
    """Says that the fusion trains, and moves an encoder as well."""

    def trainable(self):
        return "fusion"

    def loss(self, model, batch, problem):
        with torch.no_grad():
            model.parameter_group("unimodal")[0].add_(0.1)
        return super().loss(model, batch, problem)


class Remembering(Finetune):
    """Weighs the loss by how many steps this process has made."""

    def loss_of(self, model, problem):
        seen = []

        def loss(batch):
            seen.append(batch)
            return len(seen) * model(batch).loss

        return loss


class Restless(Nudge):
    def amount(self, problem):
        return float(np.random.default_rng().normal())


class Noisy(Nudge):
    def amount(self, problem):
        return torch.rand(()).item()


class Seeding(Nudge):
    def unlearn(self, problem):
        np.random.seed(0)
        torch.manual_seed(problem.seed)
        return super().unlearn(problem)


class Peeking(Nudge):
    def amount(self, problem):
        return problem.retain.features.arrays["image"]["pixels"].float().mean().item()


class Picky(Nudge):
    def amount(self, problem):
        units = len(problem.forget.split.units)
        assert units > 1, "two units at least"
        return 0.1


class Greedy(Nudge):
    def amount(self, problem):
        forget, retain = (len(data.split.units) for data in (problem.forget, problem.retain))
        return 0.1 if forget < retain else float("inf")


class Blind(Nudge):
    @dataclass(frozen=True)
    class Config:
        """Looks at no weight.

        Attributes:
            lr: how much; its square is infinite.
        """

        lr: float = 0.1

    config: Config

    def amount(self, problem):
        return self.config.lr * self.config.lr


class Free(Nudge):
    def unlearn(self, problem):
        model = problem.copy_of_original()
        self.move(model, 0.1)
        return model


class Sliced(Finetune):
    """Cuts its pairs into batches and a rest."""

    def batches(self, problem):
        data, size = problem.retain, problem.batch_size(self.config.batch_size)
        order = problem.generator("order").permutation(len(data.split))
        starts = range(0, len(order), size)
        return ((data.batch(order[start : start + size]),) for start in starts), len(starts)


VIOLATIONS = {
    Unsaid: ("describes_itself", "the setting strength is not explained: add a line 'strength: …'"),
    Melted: ("settings_can_be_recorded", "decorate Melted.Config with @dataclass(frozen=True)"),
    Listed: ("settings_can_be_recorded", "the setting rates is (0.1, 0.2): use a finite number"),
    Endless: ("settings_can_be_recorded", "the setting rate is inf: use a finite number"),
    Vague: ("says_where_it_applies", "applies_to returned '': return None where the method applies"),
    Forgetful: ("returns_a_model_of_its_own", "unlearn returned a NoneType"),
    Training: ("returns_a_model_of_its_own", "the model is in training mode: end with `return model.eval()`"),
    Hollow: (
        "returns_a_model_of_its_own",
        "came out infinite or NaN: end with mmulbench.check_finite, which raises Diverged",
    ),
    Lazy: (
        "returns_a_model_of_its_own",
        "share the original's memory: start from problem.copy_of_original()",
    ),
    Grown: ("returns_a_model_of_its_own", "the model gives outputs of shapes {'classification': (2, 5)}"),
    Careless: ("leaves_the_original_alone", "of the original changed: train problem.copy_of_original()"),
    Waking: ("leaves_the_original_alone", "the original's parameters want gradients"),
    Leaky: ("moves_only_what_trains", "moved, though the learner does not train it"),
    Restless: ("is_deterministic", "came out otherwise when run again: draw only from problem.generator"),
    Remembering: ("goes_on_after_a_kill", "let the loss keep nothing from step to step"),
    Noisy: ("leaves_global_randomness_alone", "it moved the global generator of torch: draw in a block"),
    Seeding: ("leaves_global_randomness_alone", "it moved the global generator of torch and numpy"),
    Peeking: (
        "sees_no_test_data",
        "the weights change with the test data: read only items of problem.forget",
    ),
    Picky: ("forgets_a_single_unit", "raised AssertionError: two units at least"),
    Greedy: ("forgets_almost_everything", "came out infinite or NaN"),
    Blind: ("reports_divergence", "came out infinite or NaN"),
    Sliced: (
        "takes_no_step_on_a_small_rest",
        "it went over a set in batches of 7, 7, 7, 3 pairs, and a step on a small rest moves the model",
    ),
    Free: ("counts_its_work", "its cost is zero: train with mmulbench.descend"),
}

ALSO = {
    Forgetful: "all that runs it",
    Hollow: "all that runs it",
    Noisy: {"is_deterministic"},
}
"""What else such a method must fail."""


@pytest.fixture
def outcomes_of():
    """The outcomes of all checks by name, on classification alone."""

    def make(cls):
        METHODS.register(NAME)(cls)
        trial = MethodTrial(NAME, PAIRS)
        return {check.name: run_check(check, [trial]) for check in method_checks()}

    yield make
    METHODS.discard(NAME)


def test_a_good_method_passes_everything(outcomes_of):
    outcomes = outcomes_of(Nudge)
    skipped = {name for name, outcome in outcomes.items() if outcome.status == "skipped"}
    assert skipped == {
        "moves_only_what_trains",
        "reports_divergence",
        "goes_on_after_a_kill",
        "takes_no_step_on_a_small_rest",
    }
    assert not [outcome for outcome in outcomes.values() if outcome.status == "failed"]


@pytest.mark.parametrize("cls", VIOLATIONS, ids=lambda cls: cls.__name__)
def test_a_violation_is_found_by_its_check_alone(cls, outcomes_of):
    name, reason = VIOLATIONS[cls]
    outcomes = outcomes_of(cls)
    assert outcomes[name].status == "failed" and reason in outcomes[name].reason, outcomes[name]
    assert "\n" not in outcomes[name].reason
    failed = {check for check, outcome in outcomes.items() if outcome.status == "failed"}
    also = ALSO.get(cls, set())
    if isinstance(also, str):
        assert failed > {name}
    else:
        assert failed == {name} | also


def test_every_check_has_a_violation():
    assert {name for name, _ in VIOLATIONS.values()} == {check.name for check in method_checks()}


def test_a_method_that_applies_nowhere_is_skipped_with_its_reason(outcomes_of):
    class Elsewhere(Nudge):
        def unlearn(self, problem):
            raise NotApplicable("needs three modalities")

    outcome = outcomes_of(Elsewhere)["returns_a_model_of_its_own"]
    assert (outcome.status, outcome.reason, outcome.on) == ("skipped", "needs three modalities", ())


def test_an_error_is_reported_with_its_place(outcomes_of):
    class Broken(Nudge):
        def amount(self, problem):
            raise KeyError("no such\nweight")

    outcome = outcomes_of(Broken)["returns_a_model_of_its_own"]
    line = Broken.amount.__code__.co_firstlineno + 1
    said, _, place = outcome.reason.partition(" (")
    assert said == "classification: raised KeyError: 'no such\\nweight'"
    assert place.endswith(f"test_method_checks.py:{line} in amount)")


def test_a_learner_of_its_own_says_what_trains(outcomes_of):
    class Bare(Finetune):
        def learner(self, model, problem):
            chosen = model.parameter_group("fusion")
            return Learner(model, chosen, lr=self.config.lr, weight_decay=0.0, meter=problem.meter)

    assert outcomes_of(Bare)["moves_only_what_trains"].status == "passed"


def cut(data: PairData, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """An epoch as it once was, which ends in what is left over."""
    order = data._draw(rng)
    for start in range(0, len(order), batch_size):
        yield data.batch(order[start : start + batch_size])


@pytest.mark.parametrize("name", ["gradient_ascent", "kga", "retrain", "scrub"])
def test_an_engine_that_leaves_a_rest_is_found(name, monkeypatch):
    """By units and by pairs, in a loop of the base class, in trainings within, and in loops of its own."""
    (check,) = (check for check in method_checks() if check.name == "takes_no_step_on_a_small_rest")
    monkeypatch.setattr(PairData, "epoch", cut)
    monkeypatch.setattr(PairData, "steps", lambda data, size: -(-len(data) // size))
    outcome = run_check(check, [MethodTrial(name, PAIRS)])
    assert outcome.status == "failed" and "it went over a set in batches of" in outcome.reason


def test_kinds_differ_in_what_they_ask():
    shapes = {kind.name: (kind.task().shape.kind, kind.task().modalities[0]) for kind in TINY_TASKS}
    assert shapes == {
        "retrieval": ("retrieval", "image"),
        "classification": ("classification", "image"),
        "two images": ("group classification", "image"),
        "relations": ("group classification", "graph"),
    }
