"""Tasks that read official files: settings, the message when they are missing, what a check reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mmulbench import DataInfo, DataReport, Task, UsageError
from mmulbench.tasks._official.pair_table import SPLITS, Annotations

SAMPLES = 3
"""Pairs shown by a check."""


class DataFolderTask(Task):
    """Reads files from a folder of its own name in the data folder."""

    name: ClassVar[str]
    info: ClassVar[DataInfo]

    @dataclass(frozen=True)
    class Config:
        """Settings of the task.

        Attributes:
            limit: use only this many forget units of each split, evenly spread; 0 uses all. For quick trials.
        """

        limit: int = 0

        def __post_init__(self) -> None:
            if self.limit < 0 or self.limit == 1:
                raise ValueError("limit must be 0 (all) or at least 2")

    config: Config

    def folder(self, data_dir: Path) -> Path:
        """The task's own folder."""
        return data_dir / self.name

    def missing(self, what: str, place: Path) -> UsageError:
        """The message when data is not there.

        Args:
            what: what is missing.
            place: where it was looked for.
        """
        return UsageError(
            f"{self.name} needs {what}, looked for in {place.absolute()} (--data-dir or MMULBENCH_DATA names "
            f"the data folder). Get it: {self.info.source}. 'mmulbench data info {self.name}' says what to "
            f"put where. The task {self.info.offline} needs no download: "
            f"mmulbench run --method mmul --task {self.info.offline}"
        )

    def report(
        self, annotations: Annotations, parts: Callable[[int], Iterable[str]], problems: Sequence[str] = ()
    ) -> DataReport:
        """Counts, and a few training pairs.

        Args:
            annotations: everything that was read.
            parts: what the images or nodes of a unit are called.
            problems: missing and damaged files, one line each.
        """
        train = annotations.splits["train"]
        sample = []
        for row in np.linspace(0, len(train) - 1, min(SAMPLES, len(train))).astype(int):
            label = "" if train.label is None else f" ({self.classes[train.label[row]]})"
            unit = " + ".join(parts(train.first[row]))
            sample.append(f"{unit}: {annotations.texts[train.second[row]]}{label}")
        counts = {split: (len(annotations.splits[split].units), annotations.rows[split]) for split in SPLITS}
        return DataReport(counts, annotations.dropped, problems, sample)
