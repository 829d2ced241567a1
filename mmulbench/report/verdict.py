"""Say in one sentence whether a run forgot, whether it still knows the rest, and at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mmulbench.metrics.catalogue import with_role
from mmulbench.records.published import MINIMUM_UNITS, UTILITY_TOLERANCE
from mmulbench.records.schema import RunResult
from mmulbench.records.store import UNCHECKED
from mmulbench.report.aggregate import RETRAIN, RETRAIN_AGAIN
from mmulbench.report.floor import Floor, analytical_resolution, attack_key, attacked_paths
from mmulbench.report.ranking import MINIMUM_DRAWS
from mmulbench.report.untaught import untaught_in

Leak = Literal["like retrain", "still known", "over-forgotten"]

Kind = Literal["forgot", "did not forget", "over-forgot", "cannot be judged", "reference", "no result"]
"""What a verdict comes to: of a run, of retrain and its other draws, and of a run without numbers."""


@dataclass(frozen=True)
class PathJudgement:
    """Judges a model by the loss attack on one association path.

    Attributes:
        path: name of the path.
        own: one-sided AUC of the attack on the judged model.
        retrain: the same of the reference.
        noise: how far two retrains lie apart.
        resolution: what the forget units can resolve.
        floor_is_known: whether the noise was measured.
    """

    path: str
    own: float
    retrain: float
    noise: float
    resolution: float
    floor_is_known: bool

    @property
    def excess(self) -> float:
        """The distance to retrain less what is no difference; above 0 the model differs."""
        return round(abs(self.own - self.retrain) - max(self.noise, self.resolution), 9)

    @property
    def leak(self) -> Leak:
        """The side of retrain on which the model lies."""
        if self.excess <= 0:
            return "like retrain"
        return "still known" if self.own > self.retrain else "over-forgotten"

    def __str__(self) -> str:
        noise = f"two retrains differ by up to {_short(self.noise)}, " if self.floor_is_known else ""
        values = f"attack AUC {_short(self.own)}, retrain {_short(self.retrain)}"
        return f"{values}; {noise}the units resolve {_short(self.resolution)}"


@dataclass(frozen=True)
class Judgement:
    """Judges a run.

    Attributes:
        kind: what it comes to.
        lost_utility: whether test or retain utility is lost.
        sentence: the verdict, with its evidence, utility and cost.
    """

    kind: Kind
    lost_utility: bool
    sentence: str


def verdict(result: RunResult, floor: Floor | None = None) -> str:
    """Judge a run in one sentence, by the rule of `judge`.

    Args:
        result: the run.
        floor: what the results folder says of retrain; without it the noise floor is unknown.
    """
    return judge(result, floor).sentence


def judge(result: RunResult, floor: Floor | None = None) -> Judgement:
    """Judge a run.

    The rule. A path is *like retrain* unless the attack's AUC (`mia/<path>`) lies further from retrain's than
    two retrains lie apart, and further than the forget units can resolve. Otherwise it is *still known* when
    its AUC is above retrain's, and *over-forgotten* when it is below: the deletion then shows just as much.
    The run did not forget if any path is still known, else over-forgot if any is over-forgotten, else forgot.
    It lost utility if test or retain utility is more than `UTILITY_TOLERANCE` below retrain's. Forgetting
    cannot be judged without retrain's values, with those of a checkpoint that was not checked for the forget
    set, below `MINIMUM_UNITS` forget units, or, on all paths like retrain, where the original already is so.

    Args:
        result: the run.
        floor: what the results folder says of retrain; without it the noise floor is unknown.
    """
    floor = floor or Floor()
    lost = any(_is_lost(_loss_of(result, metric.name)) for metric in with_role("utility"))
    without = _without_judging(result)
    if without is not None:
        return Judgement(without[0], lost, f"{result.spec.method} {without[1]}.")
    name, paths = result.spec.method, judge_paths(result, floor)
    if name == RETRAIN_AGAIN and paths:
        found = f"{_differences(paths)}, {_utility(result)}{_took(result)}"
        return Judgement("reference", lost, f"{name} measures the noise floor: {found}.")
    kind, why = _forgetting(result, paths, floor)
    also = "" if not lost else " but lost utility" if kind == "forgot" else " and lost utility"
    sentence = f"{name} {kind}{also}: {why}, {_utility(result)}{_took(result)}."
    if not all(path.floor_is_known for path in paths):
        command = f"mmulbench run --method {RETRAIN_AGAIN} --task {result.spec.task} …"
        draws = f"{MINIMUM_DRAWS} draws, `--set draw=2` and so on"
        sentence += f" Noise floor unknown: `{command}` measures it ({draws})."
    if result.spec.forget_size >= MINIMUM_UNITS:
        sentence += _untaught(result)
    return Judgement(kind, lost, sentence)


def _untaught(result: RunResult) -> str:
    """Name the paths that the original learned next to nothing on."""
    return "".join(
        f" Mind that {one}: what is said of that path says nothing of forgetting."
        for one in untaught_in(result)
    )


def _without_judging(result: RunResult) -> tuple[Kind, str] | None:
    """Say what a run is that there is nothing to judge of; None for all others."""
    reason = (result.reason or "no reason was recorded").rstrip(".")
    if result.status == "not_applicable":
        return "no result", f"does not apply to {result.spec.task}: {reason}"
    if result.status != "done":
        return "no result", f"{result.status}: {reason}"
    if result.has_unchecked_reference:
        return "cannot be judged", f"cannot be judged: {UNCHECKED}"
    if result.spec.method == RETRAIN:
        return "reference", f"is the reference that every other run is compared with{_took(result)}"
    return None


def judge_paths(result: RunResult, floor: Floor) -> list[PathJudgement]:
    """Compare the attack on every path with retrain's.

    Args:
        result: a done run.
        floor: what is known of retrain.

    Returns:
        One judgement for each path whose AUC is known of both, the clearest difference first.
    """
    judged: list[PathJudgement] = []
    for path in attacked_paths(result):
        value = result.values[attack_key(path)]
        if value.value is not None and value.retrain is not None:
            allowed = (floor.noise(path), floor.resolution(result, path))
            judged.append(PathJudgement(path, value.value, value.retrain, *allowed, floor.is_known(path)))
    return sorted(judged, key=lambda path: (-path.excess, path.path))


def _forgetting(result: RunResult, paths: list[PathJudgement], floor: Floor) -> tuple[Kind, str]:
    """Say what happened to the forget set, and name the evidence."""
    units = result.spec.forget_size
    if not paths:
        return (
            "cannot be judged",
            "its record holds no attack on the forget set with retrain's value beside it",
        )
    if units < MINIMUM_UNITS:
        few = f"{units} forget unit{'s are' if units > 1 else ' is'} too few (at least {MINIMUM_UNITS})"
        return "cannot be judged", few
    known = [
        f"the {path.path} path still knows the forget set ({path})"
        for path in paths
        if path.leak == "still known"
    ]
    over = [
        f"the {path.path} path finds the forget set harder than retrain does ({path})"
        for path in paths
        if path.leak == "over-forgotten"
    ]
    if known or over:
        return "did not forget" if known else "over-forgot", ", ".join(known + over)
    original = [before for path in paths if (before := _of_original(result, path, floor)) is not None]
    if original and all(before.leak != "still known" for before in original):
        closest = max(original, key=lambda before: before.excess)
        evidence = f"before unlearning, {closest.path}: {closest}"
        return "cannot be judged", f"the attack finds nothing in the original to forget ({evidence})"
    return "forgot", f"the attack sees as much as on retrain ({paths[0].path}: {paths[0]})"


def _of_original(result: RunResult, path: PathJudgement, floor: Floor) -> PathJudgement | None:
    """Judge the untouched original of a run; None where its AUC is unknown."""
    own = result.values[attack_key(path.path)].original
    if own is None:
        return None
    units = analytical_resolution(result.spec.forget_size)
    resolution = units if floor.original is None else floor.resolution(floor.original, path.path)
    return PathJudgement(path.path, own, path.retrain, path.noise, resolution, path.floor_is_known)


def _differences(paths: list[PathJudgement]) -> str:
    """Say how far another retrain lies from retrain, path by path."""
    parts = (f"{path.path} {_short(path.own)}, retrain {_short(path.retrain)}" for path in paths)
    return f"attack AUC {'; '.join(parts)}"


def _loss_of(result: RunResult, name: str) -> float | None:
    """Return by how much a utility lies below retrain's; None where either is absent."""
    value = result.values.get(name)
    if value is None or value.value is None or value.retrain is None:
        return None
    return round(value.retrain - value.value, 9)


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
    """Say how many points a utility lost; to exceed retrain's is no merit, so that it is not counted."""
    if loss is None:
        return "not known beside retrain's"
    points = f"{100 * loss:.1f}"
    return "not below retrain's" if float(points) <= 0 else f"{points} points below retrain's"


def _took(result: RunResult) -> str:
    """Say the cost in a last clause; empty where it is unknown."""
    if result.cost is None:
        return ""
    ratio = result.cost.seconds_ratio
    if ratio is None or result.spec.method == RETRAIN:
        return f", in {result.cost.seconds:,.1f} s"
    if ratio >= 0.995:  # two digits of a percentage would be 1e+02
        return f", at {ratio:.1f} times retraining's time"
    return f", at {100 * ratio:.2g} % of retraining's time"


def _short(value: float) -> str:
    """Write a share as the field does: .52."""
    return f"{value:.2f}".removeprefix("0")
