"""``mmulbench data prepare``: a task's model inputs into the cache, before any run needs them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.blockwise import CACHE_FLAG
from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import TASKS
from mmulbench.core.task import Task
from mmulbench.device import use_device
from mmulbench.errors import UsageError
from mmulbench.files import prepare_folder
from mmulbench.progress import make_progress
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.prepare import ModalityInputs, load_inputs
from mmulbench.setting_values import Overrides
from mmulbench.tables import show, show_line


def print_prepare(
    name: str,
    backbone_name: str | None,
    settings: Sequence[str],
    data_dir: Path,
    cache_dir: Path,
    plugins: Sequence[Path],
    *,
    as_json: bool,
) -> None:
    """Prepare every modality of a task for a backbone, and print what there is now.

    Args:
        name: registered name of the task.
        backbone_name: ``family:variant``; None for the task's own.
        settings: settings of the task, ``task.KEY=value`` each.
        data_dir: folder of official data.
        cache_dir: folder that the inputs go to.
        plugins: plug-in files, loaded first.
        as_json: print JSON.

    Raises:
        UsageError: The use is wrong, or data or packages are missing.
        MmulbenchError: Data is damaged, or the cache cannot be written.
    """
    load_plugins(plugins)
    task = _configured(name, settings)
    backbone = find_backbone(backbone_name or task.default_backbone, task)
    use_device("cpu")  # sets torch up as a run does: the same inputs, bit for bit
    prepare_folder(cache_dir, "cache", CACHE_FLAG)
    rows = []
    with make_progress(bars=not as_json) as progress:
        cache = ArtifactCache(cache_dir, progress.note)
        with cache.hints():
            data = task.load(data_dir, progress)
        for modality in task.modalities:
            start = time.perf_counter()
            found = load_inputs(modality, data, backbone, cache, progress)
            rows.append(_row(modality, found, time.perf_counter() - start))
    if as_json:
        print(json.dumps({"task": name, "backbone": backbone.full_name, "modalities": rows}, indent=2))
        return
    show(Text.assemble((name, "bold"), f" for {backbone.full_name}"))
    show_line(*map(_line, rows))


def _configured(name: str, settings: Sequence[str]) -> Task:
    """Return the task with its settings.

    Raises:
        UsageError: A setting is not the task's.
    """
    cls = TASKS.get(name)
    for item in settings:
        if not item.strip().startswith("task."):
            raise UsageError(f"--set {item}: data prepare takes the task's settings alone, task.KEY=value")
    return cls(Overrides(settings, []).task(cls.Config()))


def _row(modality: str, found: ModalityInputs, seconds: float) -> dict[str, Any]:
    """Return what is printed of a modality."""
    tensors = {
        name: {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
        for name, tensor in found.inputs.items()
    }
    return {
        "modality": modality,
        "inputs": tensors,
        "bytes": sum(tensor.nbytes for tensor in found.inputs.values()),
        "new": found.new,
        "seconds": round(seconds, 2),
        "folder": str(found.folder),
    }


def _line(row: dict[str, Any]) -> str:
    inputs = ", ".join(
        f"{name} {' x '.join(f'{size:,}' for size in tensor['shape'])} {tensor['dtype']}"
        for name, tensor in row["inputs"].items()
    )
    when = f"{row['seconds']:.1f} s" if row["new"] else "was there already"
    return f"{row['modality']}: {inputs}; {_size(row['bytes'])}; {when}; {row['folder']}"


def _size(count: int) -> str:
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"
