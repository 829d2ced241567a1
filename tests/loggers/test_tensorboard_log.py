"""Event files are what TensorBoard reads: records with their length before them, each an Event."""

from __future__ import annotations

import struct

import pytest

from mmulbench.loggers.tensorboard_log import TensorboardLog

pytest.importorskip("tensorboardX", reason="the extra tensorboard is not installed")


def events(folder):
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.iterdir()
    content, found = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        found.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return found


def test_curves_settings_and_values_are_in_the_file(tmp_path):
    logger = TensorboardLog(tmp_path, "run", {"config": {"lr": 0.25}})
    logger.epoch("retrain", 1, {"loss": 2.0})
    logger.epoch("retrain", 2, {"loss": 1.0})
    logger.end("done", {"mia/matching": 0.5})
    values = [
        (value.tag, event.step, value) for event in events(tmp_path / "run") for value in event.summary.value
    ]
    scalars = [(tag, step, value.simple_value) for tag, step, value in values if not value.HasField("tensor")]
    assert scalars == [("retrain/loss", 1, 2.0), ("retrain/loss", 2, 1.0), ("record/mia/matching", 0, 0.5)]
    texts = {tag: str(value.tensor.string_val) for tag, _, value in values if value.HasField("tensor")}
    assert "config.lr | 0.25" in texts["settings/text_summary"] and "done" in texts["status/text_summary"]
