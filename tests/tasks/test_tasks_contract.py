from __future__ import annotations

import pytest
from task_contract import TaskContract

from mmulbench.registry import TASKS


@pytest.mark.parametrize("name", TASKS.names())
class TestContract(TaskContract): ...
