"""Write the unlearned models of runs into folders, each with a card that says what the run found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmulbench import processes
from mmulbench.core.model import MultimodalModel
from mmulbench.exports.model_card import ModelCard
from mmulbench.exports.write import refuse_existing, write_model
from mmulbench.hashing import fingerprint
from mmulbench.records.schema import RunResult
from mmulbench.report.verdict import verdict
from mmulbench.runs.pipeline import StoredRecord
from mmulbench.runs.prepare import PreparedTask

SHOWN = ("torch", "transformers", "torch-geometric")
"""Packages whose versions a card names, beside mmulbench."""


@dataclass(frozen=True)
class ModelFolder:
    """Takes over the models of runs.

    Attributes:
        folder: folder of the model; where there are several runs, of a folder for each.
        several: whether there are several runs.
    """

    folder: Path
    several: bool = False

    def check(self) -> None:
        """Refuse a folder that is there, before anything is computed.

        Raises:
            UsageError: It is.
        """
        refuse_existing(self.folder)

    def of(self, record: RunResult) -> Path:
        """Return the folder of one run's model."""
        name = f"{record.spec.method.replace(':', '-')}-{record.spec.seed}"
        return self.folder / name if self.several else self.folder

    def deliver(self, stored: StoredRecord, prepared: PreparedTask) -> None:
        """Write the model of a run; a run without one, since it failed or does not apply, leaves no folder.

        Args:
            stored: the run's record, with its model.
            prepared: its task.

        Raises:
            UsageError: The folder is there, or no layout holds the model.
            MmulbenchError: The disk refuses.
        """
        if stored.model is None:
            return
        model, record = stored.model, stored.result
        processes.first_does(lambda: save(model, record, prepared, self.of(record)))


def save(model: MultimodalModel, record: RunResult, prepared: PreparedTask, folder: Path) -> None:
    """Write an unlearned model.

    Args:
        model: the model.
        record: record of the run that made it.
        prepared: task of the run.
        folder: where to; it must not be there.

    Raises:
        UsageError: The folder is there, or no layout holds the model.
        MmulbenchError: The disk refuses.
    """
    write_model(model, prepared.backbone, prepared.task.shape, folder, card_of(record))
    prepared.workspace.progress.note(f"the unlearned model is in {folder}")


def card_of(record: RunResult) -> ModelCard:
    """Return what a model's card says of the run that made it.

    Args:
        record: record of the run.
    """
    spec, packages = record.spec, record.environment.packages
    drawn = fingerprint([spec.data_fingerprint, spec.forget_size, spec.seed])
    pairs = int(sum(record.by_unit.get("pairs", [])))
    return ModelCard(
        task=spec.task,
        method=spec.method,
        settings=spec.config,
        units=spec.forget_size,
        pairs=spec.forget.pairs if spec.forget is not None else pairs,
        forget_digest=spec.forget.digest if spec.forget is not None else f"drawn by the seed: {drawn}",
        record=record.run_id,
        verdict=verdict(record),
        versions={
            "mmulbench": record.environment.mmulbench,
            **{name: packages[name] for name in SHOWN if name in packages},
        },
        date=record.finished.date().isoformat(),
        trained_on=(spec.data_fingerprint,),
    )
