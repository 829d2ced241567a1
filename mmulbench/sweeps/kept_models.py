"""Keep the unlearned models of a sweep: all of them, or of each forget set and seed the best."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmulbench.errors import MmulbenchError
from mmulbench.exports.facts import FACTS
from mmulbench.files import disk_errors, write_atomically
from mmulbench.handover.save import save
from mmulbench.hashing import fingerprint
from mmulbench.records.group_key import GroupKey
from mmulbench.records.published import UTILITY_TOLERANCE
from mmulbench.records.schema import RunResult, RunSpec
from mmulbench.report.aggregate import REFERENCES
from mmulbench.runs.pipeline import StoredRecord
from mmulbench.runs.prepare import PreparedTask

GAP = "retrain_gap"
JUDGED = "judged.json"
"""File beside a best model: which runs were compared, and how far the best is from retrain."""


@dataclass(frozen=True)
class KeptModels:
    """Keeps models in a folder; several workers may.

    Attributes:
        folder: the folder; each model has one of its own in it.
        best: whether only the best of each forget set and seed stays: of those that kept their utility the
            one that is nearest to retrain.
    """

    folder: Path
    best: bool = True

    def wants(self, spec: RunSpec) -> bool:
        """Tell whether a run's model is not here, and was not found to be worse than another.

        Args:
            spec: specification of the run.
        """
        if spec.method in REFERENCES and self.best:
            return False
        if not self.best:
            return not self._all(spec).exists()
        return spec.run_id not in self._judged(spec)["runs"]

    def deliver(self, stored: StoredRecord, prepared: PreparedTask) -> None:
        """Keep the model of a run, unless there is none, or a better one is here.

        Args:
            stored: the run's record, with its model.
            prepared: its task.

        Raises:
            UsageError: No layout holds the model.
            MmulbenchError: The disk refuses.
        """
        record, model = stored.result, stored.model
        if model is None or not self.wants(record.spec):
            return
        with prepared.workspace.cache.lock(f"kept-{_table(record.spec)}", "keeping a sweep's models"):
            if not self.best:
                if not self._all(record.spec).exists():
                    save(model, record, prepared, self._all(record.spec))
                return
            judged, merit = self._judged(record.spec), merit_of(record)
            if merit is not None and (judged["merit"] is None or merit < judged["merit"]):
                save(model, record, prepared, self._place(record.spec) / _name(record.spec))
                judged |= {"merit": merit, "best": _name(record.spec)}
            judged["runs"] = sorted({*judged["runs"], record.run_id})
            write_atomically(self._place(record.spec) / JUDGED, json.dumps(judged))
            self._remove_others(self._place(record.spec), judged["best"])

    def _all(self, spec: RunSpec) -> Path:
        return self.folder / f"{spec.task}-{_name(spec)}"

    def _place(self, spec: RunSpec) -> Path:
        return self.folder / f"{spec.task}-{_table(spec)}-{spec.seed}"

    def _judged(self, spec: RunSpec) -> dict[str, Any]:
        """Return which runs of a forget set and seed were compared, and the best so far.

        Raises:
            MmulbenchError: What was written of them is damaged.
        """
        path = self._place(spec) / JUDGED
        found: dict[str, Any] = {"merit": None, "best": None, "runs": []}
        with disk_errors("read", path):
            text = path.read_text(encoding="utf-8") if path.exists() else json.dumps(found)
        try:
            return {**found, **json.loads(text)}
        except (ValueError, TypeError) as error:
            raise MmulbenchError(f"{path} is damaged: remove its folder, and run the sweep again") from error

    def _remove_others(self, place: Path, best: str | None) -> None:
        """Remove the models that were the best before, and nothing else that somebody put there."""
        with disk_errors("remove", place):
            for folder in place.iterdir():
                if folder.name != best and (folder / FACTS).is_file():
                    shutil.rmtree(folder)


def merit_of(record: RunResult) -> list[float] | None:
    """Return what records of one forget set and seed are ordered by, the best first; None where unknown.

    Args:
        record: a record.
    """
    gap = record.values.get(GAP)
    if record.status != "done" or gap is None or gap.value is None:
        return None
    values = (record.values.get(name) for name in ("test", "retain"))
    lost = any(
        one is not None
        and one.value is not None
        and one.retrain is not None
        and one.value < one.retrain - UTILITY_TOLERANCE
        for one in values
    )
    return [float(lost), gap.value]


def _table(spec: RunSpec) -> str:
    return fingerprint(list(GroupKey.of(spec)))[:8]


def _name(spec: RunSpec) -> str:
    return f"{spec.method}-{spec.seed}-{spec.run_id}"
