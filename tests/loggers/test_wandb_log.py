"""Weights & Biases, offline: what is written is what its own files hold."""

from __future__ import annotations

import json

import pytest

from mmulbench.loggers.wandb_log import WandbLog

wandb = pytest.importorskip("wandb", reason="the extra wandb is not installed")


@pytest.mark.slow
def test_a_run_is_written_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    seen = []
    finish = wandb.Run.finish

    def look(run, *args, **options):
        seen.append((run.project, run.name, dict(run.config), json.loads(json.dumps(dict(run.summary)))))
        finish(run, *args, **options)

    monkeypatch.setattr(wandb.Run, "finish", look)
    logger = WandbLog(tmp_path / "wandb", "name", {"config": {"lr": 0.25}})
    logger.epoch("retrain", 1, {"loss": 2.0})
    logger.epoch("retrain", 2, {"loss": 1.0})
    logger.end("done", {"mia/matching": 0.5})
    ((project, name, config, summary),) = seen
    assert (project, name, config) == ("mmulbench", "name", {"config": {"lr": 0.25}})
    assert summary["retrain/loss"] == 1.0 and summary["retrain/epoch"] == 2
    assert summary["record/mia/matching"] == 0.5 and summary["status"] == "done"
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
