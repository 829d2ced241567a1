"""Log a run as event files of TensorBoard, written by tensorboardX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmulbench.loggers.run_log import RECORD, RunLog, flat


class TensorboardLog(RunLog):
    """Writes a folder of the run's name; its curves are called ``<stage>/loss`` and so on."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder / name))
        lines = [f"| {key} | {value} |" for key, value in flat(settings)]
        self._writer.add_text("settings", "\n".join(["| setting | value |", "|---|---|", *lines]))

    def epoch(self, stage: str, number: int, numbers: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        for name, value in numbers.items():
            self._writer.add_scalar(f"{stage}/{name}", value, number)
        self._writer.flush()

    def end(self, status: str, numbers: Mapping[str, float]) -> None:
        """Add the values as curves of one point each."""
        self._writer.add_text("status", status)
        for name, value in numbers.items():
            self._writer.add_scalar(f"{RECORD}/{name}", value, 0)
        self._writer.close()
