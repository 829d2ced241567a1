"""Add further metrics to records from Python, as ``mmulbench evaluate RECORD --metrics`` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmulbench import defaults
from mmulbench.api.progress import NotebookBars
from mmulbench.handover.added import Asked, add_values
from mmulbench.progress import Progress
from mmulbench.records.lookup import find_record
from mmulbench.records.schema import RunResult
from mmulbench.runs.request import RunOptions


def evaluate(
    record: str | Path,
    metrics: str | Sequence[str],
    *,
    model: str | Path | None = None,
    shadows: int = 0,
    forget: str | Path | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    results_dir: str | Path | None = None,
    cache_dir: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    progress: bool = True,
) -> RunResult:
    """Compute further metrics of a record's models, and write them into the record.

    What the record has stays as it is, bit for bit. A metric that it has already is left alone.

    Args:
        record: path of a record, or the start of its id.
        metrics: registered name of a metric, or several.
        model: where the unlearned model was saved; None has it found in the cache, or made again.
        shadows: how many shadow models to train for metrics that rest on such; 0 for those of the record.
        forget: list of what was forgotten, where the record names one by its digest.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        data_dir: folder of official data; None for MMULBENCH_DATA, else ``data``.
        results_dir: folder of the records; None for MMULBENCH_RESULTS, else ``results``.
        cache_dir: folder of what runs share; None for MMULBENCH_CACHE, else the user's cache folder.
        plugins: Python files with metrics of your own, and those that the record was made with.
        progress: whether to show bars.

    Returns:
        The record with the new values.

    Raises:
        UsageError: for an unknown metric, or where the record lacks what it needs, or today's data, code or
            models are not those of the record.
        NotApplicable: where a metric has no value of these models.
        MmulbenchError: when a folder cannot be written, data is damaged, or the record does not hold.
    """
    results = defaults.results_dir(None if results_dir is None else Path(results_dir))
    options = RunOptions(
        device=device,
        data_dir=defaults.data_dir(None if data_dir is None else Path(data_dir)),
        results_dir=results,
        cache_dir=defaults.cache_dir(None if cache_dir is None else Path(cache_dir)),
        plugins=defaults.plugin_files([Path(path) for path in plugins]),
    )
    asked = Asked(
        metrics=(metrics,) if isinstance(metrics, str) else tuple(dict.fromkeys(metrics)),
        shadows=shadows,
        model=None if model is None else str(model),
        forget=None if forget is None else str(forget),
    )
    shown = NotebookBars() if progress else Progress()
    return add_values(find_record(str(record), results), options, asked, shown).result
