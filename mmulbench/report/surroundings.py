"""Say what there is around a record: retrains in the folders beside it, and the code of today."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from mmulbench.core.registry import METHODS
from mmulbench.core.run_code import changed_code, code_of_run
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.schema import RunResult
from mmulbench.records.store import read_record
from mmulbench.report.aggregate import REFERENCES
from mmulbench.report.floor import Floor
from mmulbench.validity.record import faults


def floor_beside(result: RunResult, path: Path) -> Floor:
    """Gather what the records beside a run's say of its retrain; what is no valid record does not count.

    Args:
        result: the record of the run.
        path: its file.
    """
    records = []
    for method in REFERENCES:
        for file in (path.parent.parent / method).glob(f"{result.spec.forget_size}-*.json"):
            with suppress(MmulbenchError):
                records.append(read_record(file))
    return Floor.of(result, [record for record in records if not faults(record)])


def changed_since(result: RunResult) -> list[str]:
    """Say of which kinds the code is another today; of none that is no longer known here.

    Args:
        result: the record.
    """
    spec = result.spec
    with suppress(UsageError):
        return changed_code(
            result.code, code_of_run(METHODS.module_of(spec.method), spec.task, spec.backbone)
        )
    return []
