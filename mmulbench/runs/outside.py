"""Judge a model that was made elsewhere, by a method that is not here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mmulbench.core.method import Method, UnlearningProblem
from mmulbench.core.model import MultimodalModel
from mmulbench.errors import NotApplicable, UsageError
from mmulbench.exports.read import GivenModel, open_model
from mmulbench.exports.same_inputs import same_inputs
from mmulbench.progress import Progress
from mmulbench.records.schema import OUTSIDE, Cost
from mmulbench.runs.open_task import choose_forget_set, open_task, resolve
from mmulbench.runs.pipeline import Run, StoredRecord, execute
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.references import Trained, given_model
from mmulbench.runs.request import Request
from mmulbench.runs.run_spec import make_spec
from mmulbench.runs.session import command_of_run, results_output

_NAME = re.compile(r"\w[\w.+-]{0,79}", re.ASCII)


class Outside(Method):
    """Stands for a method that is kept elsewhere: its model is given."""

    def unlearn(self, problem: UnlearningProblem) -> MultimodalModel:
        """Refuse to unlearn: there is no code for it.

        Raises:
            NotApplicable: Always.
        """
        raise NotApplicable("the method is kept elsewhere, and only a model that it made can be judged")


@dataclass(frozen=True)
class OutsideModel:
    """Describes a model to judge.

    Attributes:
        source: its place, as `mmulbench.exports.read.open_model` takes it.
        name: what its method is to be called in tables.
        seconds: what making it took, in seconds of wall time; None where nobody says.
        flops: floating-point operations of that; None where nobody says.
    """

    source: str
    name: str
    seconds: float | None = None
    flops: float | None = None

    @property
    def cost(self) -> Cost | None:
        """What its maker says that it cost."""
        return None if self.seconds is None else Cost(seconds=self.seconds, flops=self.flops)

    def check(self) -> None:
        """Refuse a name that none can be, and a cost of half.

        Raises:
            UsageError: There is such.
        """
        if _NAME.fullmatch(self.name) is None:
            raise UsageError(
                f"--name {self.name!r}: use at most 80 letters, digits, '_', '-', '.' and '+', beginning "
                "with a letter, digit or '_'"
            )
        if self.flops is not None and self.seconds is None:
            raise UsageError("--flops goes with --seconds")
        if any(number is not None and number < 0 for number in (self.seconds, self.flops)):
            raise UsageError("--seconds and --flops are 0 or more")


def judge_outside(request: Request, outside: OutsideModel, progress: Progress) -> StoredRecord:
    """Judge a model beside original and retrain, and record it as a run is recorded.

    Args:
        request: says which task, forget set, original and retrain; it names no method.
        outside: the model.
        progress: shows bars and notes.

    Raises:
        UsageError: The use is wrong, or the model does not go with the original.
        MmulbenchError: A folder cannot be written, or data is damaged.
    """
    outside.check()
    resolved = resolve(request, request, tuned=False)
    model = open_model(outside.source)
    if reason := same_inputs(resolved.backbone, model.backbone):
        hint = "" if request.original else "; --original or --backbone says what it was made from"
        raise UsageError(f"{outside.source} does not go with the original: {reason}{hint}")
    with progress:
        prepared = open_task(request, resolved, results_output(request), progress)
        progress.plan(list(request.seeds), shadows=False)
        progress.run(f"{OUTSIDE}{outside.name}, seed {request.seeds[0]}")
        forget, named, ids, _ = choose_forget_set(resolved, prepared.data, request.seeds[0])
        spec = make_spec(
            prepared,
            f"{OUTSIDE}{outside.name}",
            Outside(),
            prepared.task.units_among(prepared.data, forget.units),
            request.seeds[0],
            named,
        )
        spec = spec.model_copy(
            update={"given": {**spec.given, "unlearned": f"{model.backbone.name}:{model.label}"}}
        )
        run = Run(
            spec=spec,
            method=Outside(),
            command=command_of_run(spec, Outside(), prepared, request, {"unlearned": model.argument}),
            reference=request.reference,
            units=request.units,
            forget=forget if named is not None else None,
            forget_ids=ids if request.record_ids else (),
            revisions=prepared.given.revisions | ({"unlearned": model.revision} if model.revision else {}),
            unlearned=_trained(model, outside, prepared),
        )
        return execute(run, prepared, request.overwrite)


def _trained(model: GivenModel, outside: OutsideModel, prepared: PreparedTask) -> Trained:
    found = given_model(model, prepared)
    cost = outside.cost
    return found if cost is None else Trained(found.model, cost)
