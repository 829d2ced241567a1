from __future__ import annotations

from pathlib import Path

import miniatures
import pytest
from task_contract import TaskContract

from mmulbench.registry import TASKS


@pytest.mark.parametrize("name", TASKS.names())
class TestContract(TaskContract):
    @pytest.fixture
    def data_dirs(self, name, kept, own):
        return (kept, own) if name in miniatures.WRITERS else (Path("data"), Path("elsewhere"))
