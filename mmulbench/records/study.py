"""Tuned settings: the record of a method's study on a task, and the defaults that follow from it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from mmulbench.errors import MmulbenchError
from mmulbench.files import write_atomically
from mmulbench.frozen import Frozen
from mmulbench.hashing import fingerprint
from mmulbench.records.published import PUBLISHED_STUDIES
from mmulbench.records.reading import reading
from mmulbench.records.schema import METRIC_VERSION, Environment, Scalar, Tuning
from mmulbench.records.store import folder_of_backbone
from mmulbench.setting_values import validated

STUDY_VERSION = 1
"""Version of a study's record: raised when a field, or what a trial does, changes meaning."""

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
    budget: float = Field(description="floating-point operations of a trial, as a part of retrain's")
    data_fingerprint: str
    plugins: dict[str, str] = Field(default_factory=dict, description="as in a run's specification")
    metric_version: str = METRIC_VERSION
    study_version: int = STUDY_VERSION

    @property
    def study_id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the specification."""
        return fingerprint(self.model_dump(mode="json"))[:12]


class Trial(Frozen):
    """Holds one configuration that was tried."""

    settings: dict[str, Scalar] = Field(description="the searched settings; all others are the defaults")
    state: TrialState
    by_seed: list[float] = Field(description="distance to retrain for each seed that was tried")
    objective: float | None = Field(default=None, description="their mean, where all were tried")
    reason: str | None = Field(default=None, description="why it is not done")


class Study(Frozen):
    """Holds the trials of one method on one task, in their order."""

    spec: StudySpec
    trials: list[Trial]
    environment: Environment

    @property
    def best(self) -> Trial | None:
        """Trial closest to retrain, the earliest of equals; None where none was done."""
        done = [trial for trial in self.trials if trial.objective is not None]
        return min(done, key=lambda trial: trial.objective or 0.0) if done else None

    @property
    def settings(self) -> dict[str, Scalar]:
        """Settings of the best trial; none where no trial was done, so that the defaults stay."""
        return self.best.settings if self.best is not None else {}


@dataclass(frozen=True)
class TunedDefault:
    """Holds a method's configuration on a task, and the study it comes from.

    Attributes:
        config: the method's configuration.
        tuning: origin of the configuration, for records.
    """

    config: Any
    tuning: Tuning


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
        MmulbenchError: The file is no valid study.
    """
    advice = "delete it and tune again"
    with reading(f"the study {path}", advice), contextlib.suppress(FileNotFoundError):
        return Study.model_validate_json(path.read_bytes())
    return None


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
    places: Iterable[tuple[str, str]], method: str, default: Any, folder: Path
) -> TunedDefault | None:
    """Find the settings to start from: those of the first study that there is.

    Each place is looked for in ``folder`` and then among the published studies.

    Args:
        places: names of a task and of a backbone on it, the nearest first.
        method: name of the method.
        default: the method's own configuration.
        folder: folder of the user's own studies.

    Raises:
        MmulbenchError: A study cannot be read or does not fit the method's settings.
    """
    for place in dict.fromkeys(places):
        for root in (folder, PUBLISHED_STUDIES):
            path = study_path(root, *place, method)
            study = read_study(path)
            if study is not None:
                return _default(study, path, default)
    return None


def _default(study: Study, path: Path, default: Any) -> TunedDefault:
    unknown = set(study.settings) - set(study.spec.defaults) | set(study.settings) - set(vars(default))
    if unknown:
        raise MmulbenchError(
            f"the study {path} sets {', '.join(sorted(unknown))}, which the method does not have: "
            "delete it and tune again"
        )
    spec = study.spec
    return TunedDefault(
        config=validated(default, study.settings, spec.method),
        tuning=Tuning(
            study_id=spec.study_id,
            task=spec.task,
            backbone=spec.backbone,
            forget_size=spec.forget_size,
            trials=len(study.trials),
            budget=spec.budget,
            found=study.best is not None,
        ),
    )
