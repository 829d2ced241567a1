"""Log a run as a CSV file: a row for each setting, each number of an epoch, and each value of the record."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmulbench.loggers.run_log import RECORD, RunLog, flat

HEADER = ("time", "stage", "epoch", "name", "value")
"""Columns; a run that is made again goes on in the same file, which the time shows."""


class CsvLog(RunLog):
    """Writes ``<name>.csv``; each row is there at once."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.csv"
        is_new = not path.exists()
        self._file = path.open("a", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        if is_new:
            self._rows.writerow(HEADER)
        for key, value in flat(settings):
            self._write("settings", "", key, value)

    def epoch(self, stage: str, number: int, numbers: Mapping[str, float]) -> None:
        """Write a row for each number."""
        for name, value in numbers.items():
            self._write(stage, number, name, value)

    def end(self, status: str, numbers: Mapping[str, float]) -> None:
        """Write status and values, and close the file."""
        self._write(RECORD, "", "status", status)
        for name, value in numbers.items():
            self._write(RECORD, "", name, value)
        self._file.close()

    def _write(self, stage: str, epoch: int | str, name: str, value: Any) -> None:
        time = datetime.now(UTC).isoformat(timespec="seconds")
        self._rows.writerow([time, stage, epoch, name, value])
        self._file.flush()
