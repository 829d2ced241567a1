"""Log a run to MLflow: to the server that MLFLOW_TRACKING_URI names, or to files."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmulbench.loggers.run_log import RECORD, RunLog, flat

EXPERIMENT = "mmulbench"
"""Name of the experiment, where MLFLOW_EXPERIMENT_NAME names none."""

LONGEST = 500
"""Most characters of a setting's value, which MLflow limits."""

_NOT_IN_NAMES = re.compile(r"[^\w\-. :]")


class MlflowLog(RunLog):
    """Makes one run of the experiment."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None:
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            folder.mkdir(parents=True, exist_ok=True)
            uri = folder.resolve().as_uri()
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # else MLflow 3 refuses files
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(uri)
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        known = self._client.get_experiment_by_name(experiment)
        number = known.experiment_id if known else self._client.create_experiment(experiment)
        self._id = self._client.create_run(number, run_name=name).info.run_id
        texts = {key: str(value)[:LONGEST] for key, value in flat(settings)}
        self._client.log_batch(self._id, params=[Param(key, text) for key, text in texts.items()])

    def epoch(self, stage: str, number: int, numbers: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        self._log(stage, numbers, number)

    def end(self, status: str, numbers: Mapping[str, float]) -> None:
        """Log the values, and end the run."""
        self._log(RECORD, numbers, 0)
        self._client.set_tag(self._id, "status", status)
        is_well = status in ("done", "not_applicable")
        self._client.set_terminated(self._id, "FINISHED" if is_well else "FAILED")

    def _log(self, stage: str, numbers: Mapping[str, float], step: int) -> None:
        """Log numbers, whose names become ``<stage>/<name>`` without further slashes: in files, they nest."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        names = {name: _NOT_IN_NAMES.sub("_", name.replace("/", ".")) for name in numbers}
        metrics = [Metric(f"{stage}/{names[name]}", value, now, step) for name, value in numbers.items()]
        self._client.log_batch(self._id, metrics=metrics)
