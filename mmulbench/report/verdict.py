"""One plain sentence on a run: did it forget, does it still know the rest, and at what cost."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from mmulbench.records.schema import RunResult, Value
from mmulbench.report.aggregate import RETRAIN

MIA_TOLERANCE, TOLERANCE_UNITS = 0.05, 200
"""Attack accuracy this far from retrain's, on any path, is a difference: two standard errors of a balanced
accuracy of .5 on 200 forget units and as many test units. On fewer forget units it grows as their standard
error does (`tolerance`)."""

AUC_FACTOR = math.sqrt(2)
"""The attack's AUC may differ by so many times as much: for two normal loss distributions a small shift d
moves the best threshold's accuracy by d·φ(0)/2 and the AUC by d·φ(0)/√2."""

UTILITY_TOLERANCE = 0.03
"""Test or retain utility this far below retrain's is lost. The paper's method stays 0.3 points from retrain
(arXiv 2311.12047); two standard errors of a recall of .75 on a thousand queries are 2.7 points."""

Leak = Literal["like retrain", "still known", "over-forgotten"]


def tolerance(units: int) -> float:
    """How far from retrain's the attack's accuracy may lie on this many forget units."""
    return MIA_TOLERANCE * math.sqrt(max(TOLERANCE_UNITS / units, 1.0))


@dataclass(frozen=True)
class PathJudgement:
    """What the membership attack on one association path says of a model, beside what it says of retrain.

    Attributes:
        path: its name.
        accuracy: of the attack.
        retrain_accuracy: of the attack on retrain.
        auc: of the attack, one-sided.
        retrain_auc: of the attack on retrain.
        tolerance: how far apart the two accuracies may lie; AUCs √2 times as far.
    """

    path: str
    accuracy: float
    retrain_accuracy: float
    auc: float
    retrain_auc: float
    tolerance: float = MIA_TOLERANCE

    @property
    def excess(self) -> float:
        """The larger of the two distances to retrain, in tolerances: above 1 is a difference."""
        accuracy, auc = self.accuracy - self.retrain_accuracy, self.auc - self.retrain_auc
        return round(max(abs(accuracy), abs(auc) / AUC_FACTOR) / self.tolerance, 9)

    @property
    def leak(self) -> Leak:
        """The side of retrain on which the model lies; accuracy has no side, so the AUC decides."""
        if self.excess <= 1:
            return "like retrain"
        return "still known" if self.auc > self.retrain_auc else "over-forgotten"

    @property
    def shown_by_accuracy(self) -> bool:
        """Whether accuracy shows the difference; it hides one where retrain itself lies off .5."""
        return self.leak == "like retrain" or self.accuracy - self.retrain_accuracy > self.tolerance

    def __str__(self) -> str:
        if self.shown_by_accuracy:
            return f"MIA {_short(self.accuracy)}, retrain {_short(self.retrain_accuracy)}"
        return f"attack AUC {_short(self.auc)}, retrain {_short(self.retrain_auc)}"


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
    if _lost(result):
        head += " but lost utility" if head == "forgot" else " and lost utility"
    return f"{name} {head}: {why}, {tail}."


def judge_paths(result: RunResult, of_original: bool = False) -> list[PathJudgement]:
    """Compare the attack on every path with retrain's.

    Args:
        result: A done run.
        of_original: Judge the untouched original of the run instead.

    Returns:
        One judgement for each path whose accuracy and AUC are known of both, most different first.
    """
    judged: list[PathJudgement] = []
    for key in result.values:
        if re.fullmatch(r"mia/[^/]+", key):
            accuracy = _pair(result.values[key], of_original)
            auc = _pair(result.values.get(f"{key}/auc"), of_original)
            if accuracy and auc:
                allowed = tolerance(result.spec.forget_size)
                judged.append(PathJudgement(key.removeprefix("mia/"), *accuracy, *auc, allowed))
    return sorted(judged, key=lambda path: (-path.excess, path.path))


def _forgetting(result: RunResult, paths: list[PathJudgement]) -> tuple[str, str]:
    """The words for what happened to the forget set, and the evidence."""
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


def _gap(result: RunResult, split: str) -> float | None:
    """Utility minus retrain's; None where either is absent."""
    pair = _pair(result.values.get(split))
    return pair[0] - pair[1] if pair else None


def _lost(result: RunResult) -> bool:
    gaps = [_gap(result, split) for split in ("test", "retain")]
    return any(gap is not None and gap < -UTILITY_TOLERANCE for gap in gaps)


def _utility(result: RunResult) -> str:
    """Test utility against retrain's, and retain utility where that is what was lost."""
    test, retain = _gap(result, "test"), _gap(result, "retain")
    clause = f"test utility is {_points(test)}"
    if retain is not None and retain < -UTILITY_TOLERANCE:
        clause += f", retain utility is {_points(retain)}"
    return clause


def _points(gap: float | None) -> str:
    if gap is None:
        return "not known beside retrain's"
    points = f"{abs(100 * gap):.1f}"
    if points == "0.0":
        return "that of retrain"
    return f"{points} points {'above' if gap > 0 else 'below'} retrain's"


def _took(result: RunResult) -> str:
    """The cost as a last clause; empty where it is unknown."""
    if result.cost is None:
        return ""
    ratio = result.cost.seconds_ratio
    if ratio is None or result.spec.method == RETRAIN:
        return f", in {result.cost.seconds:,.1f} s"
    if ratio >= 1:
        return f", at {ratio:.1f} times retraining's time"
    return f", at {100 * ratio:.2g} % of retraining's time"


def _pair(value: Value | None, of_original: bool = False) -> tuple[float, float] | None:
    """The value, or the original's, and retrain's; None where either is absent."""
    if value is None:
        return None
    own = value.original if of_original else value.value
    return None if own is None or value.retrain is None else (own, value.retrain)


def _short(value: float) -> str:
    """A share as the field writes it: .52."""
    return f"{value:.2f}".removeprefix("0")
