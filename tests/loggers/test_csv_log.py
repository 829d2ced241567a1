from __future__ import annotations

import csv

from mmulbench.loggers.csv_log import HEADER, CsvLog


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def log(folder, loss):
    logger = CsvLog(folder, "run", {"task": "emoji", "config": {"lr": 0.1}})
    logger.epoch("unlearn", 1, {"loss": loss, "validation": 2.5})
    return logger


def test_settings_epochs_and_values_are_rows(tmp_path):
    log(tmp_path / "new", 1.25).end("done", {"mia/matching": 0.5})
    found = rows(tmp_path / "new" / "run.csv")
    assert [tuple(row[name] for name in HEADER[1:]) for row in found] == [
        ("settings", "", "task", "emoji"),
        ("settings", "", "config.lr", "0.1"),
        ("unlearn", "1", "loss", "1.25"),
        ("unlearn", "1", "validation", "2.5"),
        ("record", "", "status", "done"),
        ("record", "", "mia/matching", "0.5"),
    ]


def test_rows_are_there_at_once_and_a_second_time_goes_on(tmp_path):
    first = log(tmp_path, 1.0)
    assert len(rows(tmp_path / "run.csv")) == 4
    first.end("failed", {})
    log(tmp_path, 2.0)
    assert [row["value"] for row in rows(tmp_path / "run.csv") if row["name"] == "loss"] == ["1.0", "2.0"]
