"""Say in one sentence whether a run forgot, whether it still knows the rest, and at what cost."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from mmulbench.metrics.catalogue import with_role
from mmulbench.records.schema import RunResult, Value
from mmulbench.report.aggregate import RETRAIN

MIA_TOLERANCE = 0.05
"""Largest distance of the attack's accuracy to retrain's that is no difference: two standard errors of a
balanced accuracy of .5 on `TOLERANCE_UNITS` forget units and as many test units."""

TOLERANCE_UNITS = 200
"""Forget units that `MIA_TOLERANCE` is for; with fewer it grows as their standard error does."""

AUC_FACTOR = math.sqrt(2)
"""The attack's AUC may differ by so many times as much: for two normal loss distributions a small shift d
moves the best threshold's accuracy by d·φ(0)/2 and the AUC by d·φ(0)/√2."""

UTILITY_TOLERANCE = 0.03
"""Test or retain utility this far below retrain's is lost. The paper's method stays 0.3 points from retrain
(arXiv 2311.12047); two standard errors of a recall of .75 on a thousand queries are 2.7 points."""

Leak = Literal["like retrain", "still known", "over-forgotten"]


def tolerance(units: int) -> float:
    """Return how far from retrain's the attack's accuracy may lie on this many forget units."""
    return MIA_TOLERANCE * math.sqrt(max(TOLERANCE_UNITS / units, 1.0))


@dataclass(frozen=True)
class Comparison:
    """Holds one value beside retrain's.

    Attributes:
        own: value of the judged model.
        retrain: value of the reference.
    """

    own: float
    retrain: float

    @property
    def difference(self) -> float:
        """The own value less retrain's."""
        return self.own - self.retrain

    def __str__(self) -> str:
        return f"{_short(self.own)}, retrain {_short(self.retrain)}"


@dataclass(frozen=True)
class PathJudgement:
    """Judges a model by the membership attack on one association path.

    Attributes:
        path: name of the path.
        accuracy: accuracy of the attack, beside that on retrain.
        auc: one-sided AUC of the attack, beside that on retrain.
        tolerance: how far apart the two accuracies may lie; AUCs √2 times as far.
    """

    path: str
    accuracy: Comparison
    auc: Comparison
    tolerance: float = MIA_TOLERANCE

    @property
    def excess(self) -> float:
        """The larger of the two distances to retrain, in tolerances: above 1 is a difference."""
        accuracy, auc = self.accuracy.difference, self.auc.difference
        return round(max(abs(accuracy), abs(auc) / AUC_FACTOR) / self.tolerance, 9)

    @property
    def leak(self) -> Leak:
        """The side of retrain on which the model lies; accuracy has no side, so the AUC decides."""
        if self.excess <= 1:
            return "like retrain"
        return "still known" if self.auc.difference > 0 else "over-forgotten"

    @property
    def shown_by_accuracy(self) -> bool:
        """Whether accuracy shows the difference; it hides one where retrain itself lies off .5."""
        return self.leak == "like retrain" or self.accuracy.difference > self.tolerance

    def __str__(self) -> str:
        return f"MIA {self.accuracy}" if self.shown_by_accuracy else f"attack AUC {self.auc}"


def verdict(result: RunResult) -> str:
    """Judge a run in one sentence.

    The rule. A path (`mia/<path>`) is *like retrain* when the attack's accuracy is within `tolerance` and
    its one-sided AUC within `AUC_FACTOR` times that of retrain's. Otherwise it is *still known* when its
    AUC is above retrain's (the forget set is easier, against test data, than it is to retrain), and
    *over-forgotten* when it is below: the deletion then shows just as much. The run did not forget if any
    path is still known, else over-forgot if any is over-forgotten, else forgot. It lost utility if test or
    retain utility is more than `UTILITY_TOLERANCE` below retrain's. Without retrain's values, or where the
    original already looks like retrain, forgetting cannot be judged.
    """
    name = result.spec.method
    reason = (result.reason or "no reason was recorded").rstrip(".")
    if result.status == "not_applicable":
        return f"{name} does not apply to {result.spec.task}: {reason}."
    if result.status != "done":
        return f"{name} {result.status}: {reason}."
    if name == RETRAIN:
        return f"{name} is the reference that every other run is compared with{_took(result)}."
    tail = f"{_utility(result)}{_took(result)}"
    paths = judge_paths(result)
    if not paths:
        why = "its record holds no attack on the forget set with retrain's value beside it"
        return f"{name} cannot be judged: {why}, {tail}."
    head, why = _forgetting(result, paths)
    if any(_is_lost(_loss_of(result, metric.name)) for metric in with_role("utility")):
        head += " but lost utility" if head == "forgot" else " and lost utility"
    return f"{name} {head}: {why}, {tail}."


def judge_paths(result: RunResult, of_original: bool = False) -> list[PathJudgement]:
    """Compare the attack on every path with retrain's.

    Args:
        result: a done run.
        of_original: judge the untouched original of the run instead.

    Returns:
        One judgement for each path whose accuracy and AUC are known of both, most different first.
    """
    (attack,) = with_role("forgetting")
    judged: list[PathJudgement] = []
    for key in result.values:
        if re.fullmatch(rf"{attack.name}/[^/]+", key):
            auc = _comparison(result.values[key], of_original)
            accuracy = _comparison(result.values.get(f"{key}/accuracy"), of_original)
            if accuracy and auc:
                path, allowed = key.removeprefix(f"{attack.name}/"), tolerance(result.spec.forget_size)
                judged.append(PathJudgement(path, accuracy, auc, allowed))
    return sorted(judged, key=lambda path: (-path.excess, path.path))


def _forgetting(result: RunResult, paths: list[PathJudgement]) -> tuple[str, str]:
    """Say what happened to the forget set, and name the evidence."""
    known = [_known(path) for path in paths if path.leak == "still known"]
    over = [
        f"the {path.path} path sets the forget set further apart from test data than retrain does ({path})"
        for path in paths
        if path.leak == "over-forgotten"
    ]
    if known or over:
        return "did not forget" if known else "over-forgot", ", ".join(known + over)
    original = judge_paths(result, of_original=True)
    if original and all(path.leak != "still known" for path in original):
        why = f"these attacks find nothing in the original to forget (before unlearning: {original[0]})"
        return "cannot be judged", why
    why = f"the attacks tell its forget set from test data about as well as retrain's ({paths[0]})"
    return "forgot", why


def _known(path: PathJudgement) -> str:
    if path.shown_by_accuracy:
        return f"the {path.path} path still gives the forget set away ({path})"
    return f"the {path.path} path still knows the forget set better than retrain does ({path})"


def _loss_of(result: RunResult, name: str) -> float | None:
    """Return by how much a utility lies below retrain's; None where either is absent."""
    utility = _comparison(result.values.get(name))
    return -utility.difference if utility else None


def _is_lost(loss: float | None) -> bool:
    return loss is not None and loss > UTILITY_TOLERANCE


def _utility(result: RunResult) -> str:
    """Say how test utility lies to retrain's, and other utility where it is lost."""
    losses = {metric.title: _loss_of(result, metric.name) for metric in with_role("utility")}
    first = next(iter(losses))
    return ", ".join(
        f"{title.lower()} is {_points(loss)}"
        for title, loss in losses.items()
        if title == first or _is_lost(loss)
    )


def _points(loss: float | None) -> str:
    if loss is None:
        return "not known beside retrain's"
    points = f"{abs(100 * loss):.1f}"
    if points == "0.0":
        return "that of retrain"
    return f"{points} points {'below' if loss > 0 else 'above'} retrain's"


def _took(result: RunResult) -> str:
    """Say the cost in a last clause; empty where it is unknown."""
    if result.cost is None:
        return ""
    ratio = result.cost.seconds_ratio
    if ratio is None or result.spec.method == RETRAIN:
        return f", in {result.cost.seconds:,.1f} s"
    if ratio >= 1:
        return f", at {ratio:.1f} times retraining's time"
    return f", at {100 * ratio:.2g} % of retraining's time"


def _comparison(value: Value | None, of_original: bool = False) -> Comparison | None:
    """Set the value, or the original's, beside retrain's; None where either is absent."""
    if value is None:
        return None
    own = value.original if of_original else value.value
    return None if own is None or value.retrain is None else Comparison(own, value.retrain)


def _short(value: float) -> str:
    """Write a share as the field does: .52."""
    return f"{value:.2f}".removeprefix("0")
