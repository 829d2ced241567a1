"""Hold what is asked for: the options of the commands that make runs. Needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mmulbench import defaults
from mmulbench.frozen import Frozen

Overwrite = Literal["never", "failed", "always"]
"""Records that are made again: none, those that failed or diverged or lack what is asked for, or all."""

DEFAULT_SEED = 42
"""Seed of runs unless others are named."""


class CommonOptions(Frozen):
    """Holds the options that all commands share which compute: device, folders, plug-ins."""

    device: str = Field(default="auto", description="auto, cpu or cuda:N")
    data_dir: Path = Field(default_factory=defaults.data_dir, description="folder of official data sets")
    cache_dir: Path = Field(default_factory=defaults.cache_dir, description="folder of shared artifacts")
    tuned_dir: Path = Field(default_factory=defaults.tuned_dir, description="folder of the user's studies")
    plugins: tuple[Path, ...] = Field(default_factory=defaults.plugin_files, description="plug-in files")
    checkpoint_seconds: float = Field(
        default_factory=defaults.checkpoint_seconds, description="least time between two checkpoints"
    )


class Wanted(Protocol):
    """Says by names alone what is wanted of a task: a request of a command does, and one run of a sweep.

    Attributes:
        task: registered name of the task.
        methods: registered names of the methods.
        backbone: ``family:variant``; None for the task's own.
        forget_size: number of forget units, or a fraction; None for the task's own.
        forget: file that lists what is forgotten, see `mmulbench.runs.forget_list.parse_request`; or None.
        forget_where: conditions on the pairs that are forgotten; empty for none.
        settings: ``key=value`` texts, as for ``--set``.
    """

    @property
    def task(self) -> str: ...  # noqa: D102 (attributes are described above)
    @property
    def methods(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def backbone(self) -> str | None: ...  # noqa: D102
    @property
    def forget_size(self) -> str | None: ...  # noqa: D102
    @property
    def forget(self) -> str | None: ...  # noqa: D102
    @property
    def forget_where(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def settings(self) -> tuple[str, ...]: ...  # noqa: D102


class TaskRequest(CommonOptions):
    """Holds the options that all commands on a task share."""

    task: str = Field(description="registered name of the task")
    methods: tuple[str, ...] = Field(default=(), description="registered names of the methods")
    backbone: str | None = Field(default=None, description="family:variant; null for the task's own")
    forget_size: str | None = Field(default=None, description="number of forget units, or a fraction")
    forget: str | None = Field(default=None, description="file that lists what is forgotten")
    forget_where: tuple[str, ...] = Field(default=(), description="conditions on what is forgotten")
    settings: tuple[str, ...] = Field(default=(), description="key=value texts, as for --set")


class RunOptions(CommonOptions):
    """Holds the options that runs share, whatever their tasks, methods and seeds; sweeps store them."""

    results_dir: Path = Field(default_factory=defaults.results_dir, description="folder of records")
    overwrite: Overwrite = Field(default="failed", description="which records are made again")
    reference: bool = Field(default=True, description="whether to compare with retrain")
    untuned: bool = Field(default=False, description="whether to ignore tuned settings")
    shadows: int = Field(default=0, description="number of shadow models to attack with besides")
    units: bool = Field(default=True, description="whether scores by unit are kept beside each record")
    record_ids: bool = Field(default=False, description="whether records hold the ids of a forget list")
    save_models: Path | None = Field(default=None, description="folder of the models of a sweep")
    keep: Literal["best", "all"] = Field(default="best", description="which of a sweep's models are kept")
    original: str | None = Field(default=None, description="place of the model that is to unlearn")
    retrain_from: str | None = Field(default=None, description="weights that retrain starts from")
    retrain: str | None = Field(default=None, description="place of a model trained without the forget set")
    loggers: tuple[str, ...] = Field(default=(), description="names of what logs the runs as they are made")
    logger_dir: Path | None = Field(default=None, description="folder of loggers' files; null where none log")

    @model_serializer(mode="wrap")
    def _leave_out_what_old_sweeps_lack(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what was so before there was a choice, as sweeps of that time do: their ids stay."""
        dumped: dict[str, Any] = dump(self)
        if self.units:
            dumped.pop("units", None)
        if self.save_models is None:
            dumped.pop("save_models", None)
            dumped.pop("keep", None)
        if not self.loggers:
            dumped.pop("loggers", None)
            dumped.pop("logger_dir", None)
        for name in ("record_ids", "original", "retrain_from", "retrain"):
            if not dumped.get(name):
                dumped.pop(name, None)
        return dumped


class Request(TaskRequest, RunOptions):
    """Holds the options of ``mmulbench run``."""

    seeds: tuple[int, ...] = Field(default=(DEFAULT_SEED,), description="one run each for every method")

    def run_options(self) -> RunOptions:
        """Return the options without those that say which runs are made."""
        return RunOptions(**{name: getattr(self, name) for name in RunOptions.model_fields})
