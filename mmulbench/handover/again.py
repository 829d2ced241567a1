"""Ask for the run of a record again, so that its model can be handed over after it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmulbench.core.reproduce import UNKNOWN_PLUGIN, all_settings, circumstances_of, digest_of_plugin
from mmulbench.errors import UsageError
from mmulbench.handover.save import ModelFolder
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.runs.request import Request, RunOptions
from mmulbench.runs.session import run_session


def request_of(record: RunResult, options: RunOptions, forget: str | None = None) -> Request:
    """Return the request whose one run is that of a record.

    Args:
        record: the record.
        options: where things are: device, folders.
        forget: list of what was forgotten, where the record names one by its digest.

    Raises:
        UsageError: The record names a list or a plug-in file, and it is not given.
    """
    spec = record.spec
    if spec.forget is not None and forget is None:
        raise UsageError(
            f"record {record.run_id} names what was forgotten by a digest alone: give the list with --forget"
        )
    around = circumstances_of(record)
    drawn = spec.forget is None
    models = around.models if "original" in spec.given else {}
    return Request(
        **{
            **dict(options),
            "task": spec.task,
            "methods": () if "unlearned" in spec.given else (spec.method,),
            "seeds": (spec.seed,),
            "backbone": None if models else around.backbone or spec.backbone,
            "forget_size": str(spec.forget_size) if drawn else None,
            "forget": None if drawn else forget,
            "settings": tuple(f"{key}={value}" for key, value in all_settings(spec).items()),
            "plugins": _plugins(record, (*map(str, options.plugins), *around.plugins)),
            "reference": around.reference,
            "untuned": True,
            "overwrite": "never",
            "original": models.get("--original"),
            "retrain": models.get("--retrain"),
            "retrain_from": models.get("--retrain-from"),
        }
    )


def _plugins(record: RunResult, places: Sequence[str]) -> tuple[Path, ...]:
    """Return the plug-in files of a run, those that are given and those where its command says they are.

    Raises:
        UsageError: One is not there any more, or has changed.
    """
    found = {place: digest_of_plugin(place) for place in places if place != UNKNOWN_PLUGIN}
    lacking = sorted(name for name, digest in record.spec.plugins.items() if digest not in found.values())
    if lacking:
        raise UsageError(
            f"record {record.run_id} was made with the plug-in file of {', '.join(lacking)}, which is not "
            "where it was, or has changed: give the file as it was with --plugin"
        )
    return tuple(map(Path, found))


def export_again(record: RunResult, request: Request, folder: Path, progress: Progress) -> None:
    """Write the model of a record, which its method makes again; the record stays as it is.

    Args:
        record: the record.
        request: what `request_of` made of it.
        folder: where to; it must not be there.
        progress: shows bars.

    Raises:
        UsageError: The record's model was made elsewhere, the folder is there, or today's data, list or
            models are not those of the record.
        MmulbenchError: The run left no model.
    """
    if "unlearned" in record.spec.given:
        raise UsageError(f"record {record.run_id} judges a model that was made elsewhere: it is where it was")
    if record.status != "done":
        raise UsageError(f"record {record.run_id} is {record.status}: there is no model to export")
    target = ModelFolder(folder)
    target.check()
    (stored,) = run_session(request, progress, target.deliver, expected=record.run_id)
    if stored.result.status != "done":
        raise UsageError(f"the run of record {record.run_id} is {stored.result.status} here")
