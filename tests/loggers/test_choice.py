from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mmulbench.errors import UsageError
from mmulbench.loggers import choice
from mmulbench.loggers.choice import LOGGERS, class_of, demand_loggers
from mmulbench.loggers.run_log import RunLog

EXTRAS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]


@pytest.mark.parametrize("name", LOGGERS)
def test_every_logger_is_one_and_has_an_extra_where_it_needs_a_package(name):
    assert issubclass(class_of(name), RunLog)
    assert (name in EXTRAS) is bool(LOGGERS[name].package)


def test_an_unknown_logger_and_a_missing_package_are_said_in_one_line(monkeypatch):
    demand_loggers(["csv"])
    with pytest.raises(UsageError, match=r"there is no logger 'wandbb'; did you mean wandb\?"):
        demand_loggers(["csv", "wandbb"])
    absent = LOGGERS["wandb"]._replace(package="no_such_package")
    monkeypatch.setitem(choice.LOGGERS, "wandb", absent)
    with pytest.raises(UsageError, match=r'--logger wandb needs .*: run pip install "mmulbench\[wandb\]"'):
        demand_loggers(["wandb"])
