from __future__ import annotations

from pathlib import Path

import miniatures
import pytest
import relation_miniatures
from task_contract import TaskContract

from mmulbench.registry import TASKS


@pytest.mark.parametrize("name", TASKS.names())
class TestContract(TaskContract):
    @pytest.fixture
    def data_dirs(self, name, kept, own):
        on_disk = {*miniatures.WRITERS, *relation_miniatures.WRITERS}
        return (kept, own) if name in on_disk else (Path("data"), Path("elsewhere"))
