"""Tuned settings: the record of a method's study on a task, and the defaults that follow from it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from mmulbench import defaults
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import read_regular, write_atomically
from mmulbench.frozen import Frozen
from mmulbench.hashing import fingerprint
from mmulbench.records.reading import reading
from mmulbench.records.schema import (
    FIRST_VERSION,
    METRIC_VERSION,
    RECIPE_VERSION,
    Environment,
    Scalar,
    Tuning,
)
from mmulbench.records.store import folder_of_backbone
from mmulbench.records.study_faults import fault_of
from mmulbench.setting_values import validated

STUDY_VERSION = 2
"""Version of a study's record: raised when a field, or what a trial does, changes meaning."""

EPOCHS = "epochs"
"""Setting that a trial lowers where it would spend more than the budget."""

ADVICE = "delete it and tune again"
"""What to do with a study that cannot be used for good."""

TrialState = Literal["done", "pruned", "diverged", "over_budget", "failed"]


class StudySpec(Frozen):
    """Holds everything that decides what the trials of a study find, whatever their number."""

    task: str
    task_config: dict[str, Scalar]
    backbone: str
    recipe: dict[str, Scalar]
    method: str
    defaults: dict[str, Scalar] = Field(description="the method's own configuration; trial 0 tries it")
    space: dict[str, tuple[float, float, bool]] = Field(description="searched: low, high, logarithmic")
    forget_size: int
    seeds: tuple[int, ...] = Field(description="each has its own forget set, original and retrain")
    check_seed: int = Field(description="seed that the search does not see; the best is checked on it")
    budget: float = Field(description="floating-point operations of a trial, as a part of retrain's")
    utility_tolerance: float | None = Field(
        default=None,
        description="what a trial may lose of test and of retain utility beside the lower of original and "
        "retrain; null: any amount",
    )
    data_fingerprint: str
    plugins: dict[str, str] = Field(default_factory=dict, description="as in a run's specification")
    metric_version: str = METRIC_VERSION
    recipe_version: str = RECIPE_VERSION
    study_version: int = STUDY_VERSION

    @property
    def study_id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the specification."""
        return fingerprint(self.model_dump(mode="json", exclude_none=True))[:12]

    def penalised(self, distances: Sequence[float], lost: Sequence[float]) -> float:
        """Return what a search makes small: the mean distance, and all that was lost past the tolerance.

        Nothing is forbidden: on few items a loss just past the tolerance is one just within it.

        Args:
            distances: distances to retrain, by seed.
            lost: utility lost, by seed; empty where the study does not ask.
        """
        mean = sum(distances) / len(distances)
        if self.utility_tolerance is None or not lost:
            return mean
        return mean + max(0.0, sum(lost) / len(lost) - self.utility_tolerance)


class Trial(Frozen):
    """Holds one configuration that was tried."""

    settings: dict[str, Scalar] = Field(description="the searched settings; all others are the defaults")
    state: TrialState
    by_seed: list[float] = Field(description="distance to retrain for each seed that was tried")
    lost: list[float] = Field(
        default_factory=list,
        description="utility lost beside the lower of original and retrain, the larger of test's and "
        "retain's, for each seed that was tried; empty where any amount may be lost",
    )
    objective: float | None = Field(default=None, description="their mean, where all were tried")
    reason: str | None = Field(default=None, description="why it is not done")
    epochs_asked: int | None = Field(
        default=None, description="epochs before the budget allowed fewer, which are those in the settings"
    )


class Check(Frozen):
    """Holds distances to retrain on a forget set, and from initial weights, that the search did not see."""

    default: float | None = Field(description="of the first trial's settings; null where they are not done")
    best: float | None = Field(description="of the best trial's settings; null where they are not done")
    default_lost: float | None = Field(default=None, description="utility lost by the first trial's settings")
    best_lost: float | None = Field(default=None, description="utility lost by the best trial's settings")
    do_nothing: float = Field(description="of the untouched original")


class Study(Frozen):
    """Holds the trials of one method on one task, in their order."""

    spec: StudySpec
    do_nothing: list[float] = Field(description="distance of the untouched original to retrain, by seed")
    most_epochs: int | None = Field(
        default=None, description="most epochs that are tried; null where the method has none to search"
    )
    over_budget: str | None = Field(
        default=None, description="why no settings are within the budget, so that nothing is tried; one line"
    )
    trials: list[Trial] = Field(default_factory=list)
    check: Check | None = Field(default=None, description="null until the last trial is made")
    code: dict[str, str] = Field(default_factory=dict, description="as in a record of a run")
    environment: Environment

    @property
    def best(self) -> Trial | None:
        """Trial with least of what a search makes small, the earliest of equals; None where none was done."""
        done = [trial for trial in self.trials if trial.objective is not None]
        return min(done, key=lambda trial: self.spec.penalised(trial.by_seed, trial.lost)) if done else None

    @property
    def check_values(self) -> tuple[float | None, float | None]:
        """What a search makes small, of best and default, where it had not looked; None where not done."""
        check = self.check
        if check is None:
            return None, None
        best, default = (
            None if distance is None else self.spec.penalised([distance], [] if lost is None else [lost])
            for distance, lost in ((check.best, check.best_lost), (check.default, check.default_lost))
        )
        return best, default

    @property
    def kept_default(self) -> bool:
        """Whether the best trial was worse than the default where the search had not looked."""
        best, default = self.check_values
        return default is not None and (best is None or best > default)

    @property
    def chosen(self) -> Trial | None:
        """Trial whose settings are taken: the best, or the default's; None where none was done."""
        return self.trials[0] if self.kept_default else self.best

    @property
    def settings(self) -> dict[str, Scalar]:
        """Settings of the chosen trial; none where no trial was done, so that the defaults stay."""
        return self.chosen.settings if self.chosen is not None else {}

    @property
    def tuning(self) -> Tuning:
        """What records say of this study."""
        spec, chosen = self.spec, self.chosen
        return Tuning(
            study_id=spec.study_id,
            task=spec.task,
            backbone=spec.backbone,
            forget_size=spec.forget_size,
            trials=len(self.trials),
            done=sum(trial.state == "done" for trial in self.trials),
            budget=spec.budget,
            found=chosen is not None,
            reason=self.over_budget,
            do_nothing=sum(self.do_nothing) / len(self.do_nothing),
            objective=None if chosen is None else chosen.objective,
            kept_default=self.kept_default,
        )


@dataclass(frozen=True)
class TunedDefault:
    """Holds a method's configuration on a task, and the study it comes from.

    Attributes:
        config: the method's configuration.
        tuning: origin of the configuration, for records.
        settings: names of the settings that the study decides; all others are the method's own.
    """

    config: Any
    tuning: Tuning
    settings: frozenset[str]


class StaleStudy(MmulbenchError):
    """Tells of a valid study that this mmulbench cannot use: of other versions, or of a method since changed.

    Args:
        path: file of the study.
        reason: why it cannot be used, as the end of a sentence about it.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the study {path} {reason}")
        self.path = path
        self.reason = reason


class _Versions(Frozen, extra="ignore"):
    """Holds the versions that a study's specification names."""

    metric_version: str
    recipe_version: str = FIRST_VERSION
    study_version: int

    def __str__(self) -> str:
        return f"metrics {self.metric_version}, recipe {self.recipe_version}, studies {self.study_version}"


class _Stored(Frozen, extra="ignore"):
    """Holds what is read of a study before the rest of it is."""

    spec: _Versions


CURRENT = _Versions(metric_version=METRIC_VERSION, recipe_version=RECIPE_VERSION, study_version=STUDY_VERSION)
"""Versions of the studies that this mmulbench makes; it uses no other."""


def study_path(folder: Path, task: str, backbone: str, method: str) -> Path:
    """Return the file of a study: ``<folder>/<task>/<backbone>/<method>.json``.

    Args:
        folder: folder of studies.
        task: registered name of the task.
        backbone: ``family:variant``.
        method: registered name of the method.
    """
    return folder / task / folder_of_backbone(backbone) / f"{method}.json"


def read_study(path: Path) -> Study | None:
    """Read a study.

    Returns:
        The study; None where there is no file.

    Raises:
        StaleStudy: It is of other versions than this mmulbench's.
        MmulbenchError: The file is no valid study, or does not hold together.
    """
    with reading(f"the study {path}", ADVICE), contextlib.suppress(FileNotFoundError):
        content = read_regular(path)
        found = _Stored.model_validate_json(content).spec
        if found != CURRENT:
            raise StaleStudy(path, f"is of {found}, and this mmulbench of {CURRENT}")
        return _sound(path, Study.model_validate_json(content))
    return None


def _sound(path: Path, study: Study) -> Study:
    """Return a study that holds together.

    Raises:
        MmulbenchError: It does not.
    """
    if (fault := fault_of(study)) is not None:
        raise MmulbenchError(f"the study {path} does not hold: {fault}; {ADVICE}")
    return study


def _refuse_copy(path: Path, study: Study) -> None:
    """Refuse a study of another method, task or backbone than the one whose place it has.

    Raises:
        MmulbenchError: It is such.
    """
    spec = study.spec
    home = study_path(path.parents[2], spec.task, spec.backbone, spec.method)
    if home != path:
        raise MmulbenchError(
            f"the study {path} does not hold: it is of {spec.method} on {spec.task} with {spec.backbone} and "
            f"belongs at {home}; {ADVICE}"
        )


def write_study(path: Path, study: Study) -> None:
    """Store a study, whole or not at all.

    Args:
        path: file of the study.
        study: the study.

    Raises:
        MmulbenchError: It cannot be written.
    """
    write_atomically(path, study.model_dump_json(indent=1) + "\n", "--tuned-dir")


def tuned_default(
    places: Iterable[tuple[str, str]],
    method: str,
    default: Any,
    folder: Path,
    leave_aside: Callable[[StaleStudy], None],
) -> TunedDefault | None:
    """Find the settings to start from: those of the first study that there is and that can be used.

    Each place is looked for in ``folder`` and then among the published studies.

    Args:
        places: names of a task and of a backbone on it, the nearest first.
        method: name of the method.
        default: the method's own configuration.
        folder: folder of the user's own studies.
        leave_aside: is told of each study that is passed over, and why.

    Raises:
        MmulbenchError: A study cannot be read, does not hold together, or is of something else.
    """
    for place in dict.fromkeys(places):
        for root in (folder, defaults.published_studies()):
            path = study_path(root, *place, method)
            try:
                study = read_study(path)
                if study is not None:
                    _refuse_copy(path, study)
                    return _default(study, path, default)
            except StaleStudy as stale:
                leave_aside(stale)
    return None


def _default(study: Study, path: Path, default: Any) -> TunedDefault:
    """Return what a study makes of a method's own configuration.

    Raises:
        StaleStudy: The method has changed since, so that the settings do not fit it.
    """
    gone = set(study.settings) - set(study.spec.defaults) | set(study.settings) - set(vars(default))
    if gone:
        raise StaleStudy(path, f"sets {', '.join(sorted(gone))}, which the method does not have")
    try:
        config = validated(default, study.settings, study.spec.method)
    except UsageError as error:
        raise StaleStudy(path, f"has settings that the method refuses ({error})") from error
    return TunedDefault(config, study.tuning, frozenset(study.settings))
