"""MLflow with files: what is logged is what its client reads."""

from __future__ import annotations

import pytest

from mmulbench.loggers.mlflow_log import MlflowLog

pytest.importorskip("mlflow", reason="the extra mlflow is not installed")


def logged(folder, monkeypatch):
    from mlflow.tracking import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return MlflowClient(folder.resolve().as_uri())


@pytest.mark.slow
def test_two_runs_of_one_experiment_are_written(tmp_path, monkeypatch):
    client = logged(tmp_path, monkeypatch)
    for status in ("done", "diverged"):
        logger = MlflowLog(tmp_path, "name", {"config": {"lr": 0.25}, "long": "x" * 9999})
        logger.epoch("retrain", 1, {"loss": 2.0})
        logger.epoch("retrain", 2, {"loss": 1.0})
        logger.end(status, {"test": 0.5, "test/i2t_r@1": 0.25, "mia/matching": 0.75})
    experiment = client.get_experiment_by_name("mmulbench")
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.info.status for run in runs) == ["FAILED", "FINISHED"]
    run = next(run for run in runs if run.data.tags["status"] == "done")
    assert run.info.run_name == "name" and run.data.params["config.lr"] == "0.25"
    history = client.get_metric_history(run.info.run_id, "retrain/loss")
    assert [(one.step, one.value) for one in history] == [(1, 2.0), (2, 1.0)]
    values = {name: value for name, value in run.data.metrics.items() if name.startswith("record/")}
    assert values == {"record/test": 0.5, "record/test.i2t_r_1": 0.25, "record/mia.matching": 0.75}
