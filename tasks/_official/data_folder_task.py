"""Hold what all tasks on a data folder share: settings, messages, and what a check reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mmulbench import DataInfo, DataReport, Task, UsageError
from mmulbench.tasks._official.pair_table import SPLITS, Annotations

SAMPLES = 3
"""Number of pairs that a check shows."""


class DataFolderTask(Task):
    """Describes a task whose files lie in the data folder, in a folder of the task's name."""

    name: ClassVar[str]
    """Registered name of the task."""

    info: ClassVar[DataInfo]

    @dataclass(frozen=True)
    class Config:
        """Holds the settings of a task on a data folder.

        Attributes:
            limit: number of forget units to use of each split, evenly spread; 0 uses all. For quick trials.
        """

        limit: int = 0

        def __post_init__(self) -> None:
            if self.limit < 0 or self.limit == 1:
                raise ValueError("limit must be 0 (all) or at least 2")

    config: Config

    def folder(self, data_dir: Path) -> Path:
        """Return the task's own folder."""
        return data_dir / self.name

    def missing(self, what: str, place: Path) -> UsageError:
        """Make the error for missing data, which says how to get it.

        Args:
            what: what is missing.
            place: folder that was searched.
        """
        return UsageError(
            f"{self.name} needs {what}, looked for in {place.absolute()} (--data-dir or MMULBENCH_DATA names "
            f"the data folder). Get it: {self.info.source}. 'mmulbench data info {self.name}' says what to "
            f"put where. The task {self.info.offline} needs no download: "
            f"mmulbench run --method mmul --task {self.info.offline}"
        )

    def report(
        self,
        annotations: Annotations,
        parts: Callable[[int], Iterable[str]],
        problems: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> DataReport:
        """Report counts, and a few training pairs.

        Args:
            annotations: everything that was read.
            parts: gives the names of a unit's images or nodes.
            problems: lines that name each missing or damaged file.
            notes: lines on what is there but worth a look.
        """
        train = annotations.splits["train"]
        sample = []
        for row in np.linspace(0, len(train) - 1, min(SAMPLES, len(train))).astype(int):
            label = "" if train.label is None else f" ({self.classes[train.label[row]]})"
            unit = " + ".join(parts(train.first[row]))
            sample.append(f"{unit}: {annotations.texts[train.second[row]]}{label}")
        counts = {split: (len(annotations.splits[split].units), annotations.rows[split]) for split in SPLITS}
        return DataReport(counts, annotations.dropped, problems, sample, notes)
