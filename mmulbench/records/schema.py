"""What a run is (`RunSpec`) and what it found (`RunResult`): the schema of the files under results/."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mmulbench.frozen import Frozen
from mmulbench.hashing import fingerprint

SCHEMA_VERSION = 1
"""Version of a record: raised when a field changes meaning. Older records are then refused."""

METRIC_VERSION = "1"
"""Version of the metrics: raised when a definition changes; a table never mixes two versions."""

Direction = Literal["higher", "lower", "closest_to_retrain"]
Status = Literal["done", "diverged", "failed", "not_applicable"]
Scalar = bool | int | float | str | None


class RunSpec(Frozen):
    """Holds everything that decides a run's numbers; hashes to its id."""

    task: str
    task_config: dict[str, Scalar] = Field(default_factory=dict)
    backbone: str = Field(description="family:variant, such as albef:packaged")
    method: str
    config: dict[str, Scalar] = Field(default_factory=dict, description="the method's full configuration")
    recipe: dict[str, Scalar] = Field(
        default_factory=dict, description="how the original and retrain are trained"
    )
    forget_size: int = Field(gt=0, description="forget units in the forget set")
    seed: int = Field(ge=0)
    data_fingerprint: str
    metric_version: str = METRIC_VERSION
    plugins: dict[str, str] = Field(
        default_factory=dict,
        description="start of the SHA-256 of the plug-in file, by the method's, task's or backbone's name",
    )

    @model_serializer(mode="wrap")
    def _leave_out_no_plugins(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave the key out where there are none, as in records from before there were any: ids stay."""
        dumped: dict[str, Any] = dump(self)
        if not self.plugins:
            dumped.pop("plugins", None)
        return dumped

    @property
    def run_id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the specification as canonical JSON."""
        return fingerprint(self.model_dump(mode="json"))[:12]


class Value(Frozen):
    """Holds one measured number with what is needed to read it."""

    value: float | None = Field(description="null where it cannot be computed; `missing` then says why")
    n: int = Field(ge=0, description="how many queries, pairs or samples it rests on")
    direction: Direction
    retrain: float | None = Field(default=None, description="the same measure of retrain")
    original: float | None = Field(default=None, description="the same measure of the untouched original")
    low: float | None = Field(default=None, description="lower end of the 95 % bootstrap interval")
    high: float | None = Field(default=None, description="upper end of the 95 % bootstrap interval")
    chance: float | None = Field(default=None, description="expected value of random scores")


class Cost(Frozen):
    """Holds what unlearning alone cost: no data preparation, no training of the original, no evaluation."""

    seconds: float = Field(ge=0, description="wall seconds")
    flops: float | None = Field(
        default=None,
        description="floating-point operations, counted on the first step; what several processes divide, in "
        "all of them together, what each does whole, once",
    )
    peak_memory_mb: float | None = Field(
        default=None, description="peak memory of the (first) process or its GPU, MiB"
    )
    samples: int = Field(default=0, ge=0, description="pairs seen, repeats included")
    steps: int = Field(default=0, ge=0, description="optimiser steps")
    seconds_ratio: float | None = Field(default=None, description="seconds / retrain's seconds (RTE)")
    flops_ratio: float | None = Field(default=None, description="flops / retrain's flops")


class Tuning(Frozen):
    """Describes where a run's settings come from: a study that tried many and took the best."""

    study_id: str
    task: str = Field(description="the task it tuned on")
    backbone: str
    forget_size: int
    trials: int = Field(ge=0, description="configurations tried, the method's own defaults included")
    budget: float = Field(description="what a trial might cost, as a part of retrain's FLOPs")
    found: bool = Field(
        default=True, description="false where no trial was done, so that the settings are the method's own"
    )


class ScoreHistogram(Frozen):
    """Holds the distribution of association scores of one path before (original) and after unlearning."""

    edges: list[float] = Field(description="bin edges, one more than there are counts")
    before: dict[str, list[int]] = Field(description="counts for forget, retain and unrelated pairs")
    after: dict[str, list[int]]


class Environment(Frozen):
    """Describes where a run ran."""

    mmulbench: str
    git_commit: str | None = Field(description="commit of mmulbench's checkout, -dirty if it is changed")
    python: str
    platform: str
    device: str
    threads: int = Field(description="threads of each process")
    processes: int = Field(default=1, ge=1, description="processes that made the run together")
    packages: dict[str, str] = Field(description="versions of the packages that touch the numbers")


class RunResult(Frozen):
    """Holds one run's record: its specification, values, cost, and where it ran."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    spec: RunSpec
    status: Status
    reason: str | None = Field(default=None, description="why a run is not done; one line")
    values: dict[str, Value] = Field(default_factory=dict, description="headline keys, then details as a/b")
    cost: Cost | None = None
    histograms: dict[str, ScoreHistogram] = Field(
        default_factory=dict, description="by association path, such as matching"
    )
    tuning: Tuning | None = Field(default=None, description="null where the settings are not tuned")
    shadows: int = Field(
        default=0, ge=0, description="shadow models that u_lira, lira, rmia and klom rest on"
    )
    missing: list[str] = Field(default_factory=list, description="what was left out, and why")
    command: str = Field(description="the command line that reproduces this record")
    environment: Environment
    started: datetime
    finished: datetime
