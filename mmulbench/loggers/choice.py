"""Name the loggers that there are, and see that what they need is installed."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import NamedTuple

from mmulbench.errors import UsageError, did_you_mean
from mmulbench.loggers.run_log import RunLog
from mmulbench.packages import package_folder


class _Logger(NamedTuple):
    """Says where a logger is, and what it needs.

    Attributes:
        module: name of its module in this room.
        name: name of its class.
        package: import name of the package that it needs, which the extra of its name installs; empty for
            none.
    """

    module: str
    name: str
    package: str = ""


LOGGERS = {
    "csv": _Logger("csv_log", "CsvLog"),
    "tensorboard": _Logger("tensorboard_log", "TensorboardLog", "tensorboardX"),
    "wandb": _Logger("wandb_log", "WandbLog", "wandb"),
    "mlflow": _Logger("mlflow_log", "MlflowLog", "mlflow"),
}
"""Loggers by name."""


def demand_loggers(names: Iterable[str]) -> None:
    """Make sure that loggers are there, before anything is computed.

    Args:
        names: their names.

    Raises:
        UsageError: One is unknown, or its package is not installed.
    """
    for name in names:
        if name not in LOGGERS:
            raise UsageError(f"there is no logger {name!r}{did_you_mean(name, LOGGERS)}")
        if package := LOGGERS[name].package:
            package_folder(package, f"--logger {name}", extra=name)


def class_of(name: str) -> type[RunLog]:
    """Import a logger.

    Args:
        name: its name.
    """
    found = LOGGERS[name]
    module = importlib.import_module(f"{__package__}.{found.module}")
    logger: type[RunLog] = getattr(module, found.name)
    return logger
