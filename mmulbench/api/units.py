"""Read the scores by unit and the rankings that lie beside records, as data frames."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.api.records import readable_records, results_folder
from mmulbench.plain_text import one_line
from mmulbench.records.rankings import no_places
from mmulbench.records.store import ResultsStore
from mmulbench.records.unit_files import UnusableUnits, no_units, read_rankings, read_units

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

RECORD_COLUMNS = ("run_id", "task", "backbone", "method", "forget_size", "seed")
"""First columns of the frame, which say whose scores a row holds."""


def load_units(results_dir: str | Path | None = None, *, task: str | None = None) -> pd.DataFrame:
    """Load the scores by unit that runs kept: one row for each record, set, unit and association path.

    The columns are ``run_id``, ``task``, ``backbone``, ``method``, ``forget_size``, ``seed`` of the record;
    ``split``, which is ``forget``, ``retain`` or ``test``; ``unit``, its number in the task's data; ``path``;
    ``pairs``, how many pairs the unit has; and the means over these pairs: the association ``score`` and the
    ``loss`` of the unlearned model, the same of retrain and of the original (``retrain_score``,
    ``original_loss``, …). Retrain's are missing where a run had no reference. Of the retain set there are as
    many units as the test set has, drawn by the seed: records of one seed have the same.

    Args:
        results_dir: folder of the records; None for MMULBENCH_RESULTS, else ``results``.
        task: only this task's records; None for all.

    Returns:
        The scores; records without them, made with ``--no-units`` or before they were kept, have no rows.

    Raises:
        UsageError: when there are no records of the task.

    Warns:
        UserWarning: for each file that should have been a record, and for each file of scores that is gone or
            is not the one that was written with its record.
    """
    return _load(results_dir, task, read_units, no_units())


def load_rankings(results_dir: str | Path | None = None, *, task: str | None = None) -> pd.DataFrame:
    """Load what models rank first for forget units: a row for each record, query, path, model and place.

    The first columns are those of `load_units`. Then come ``unit``, the forget unit, numbered as in the
    task's data; ``path``; ``side``, 0 where the unit searches items of the second modality, and 1 where one
    of its items of the second modality searches those of the first; ``item``, what searches; ``model``, which
    is ``original``, ``unlearned`` or ``retrain``; ``place``, 1 to 5; ``found``, the other modality's item at
    this place, or in classification the class of the pair of ``unit`` and ``item``; ``is_true``, whether
    that is right; and ``probability`` of a class, which is missing in retrieval. Each record has 100 units at
    most, drawn by the seed where there are more: records of one seed have the same.

    Args:
        results_dir: folder of the records; None for MMULBENCH_RESULTS, else ``results``.
        task: only this task's records; None for all.

    Returns:
        The first places; records without them, made with ``--no-units`` or before they were kept, have no
        rows.

    Raises:
        UsageError: when there are no records of the task.

    Warns:
        UserWarning: as of `load_units`, and for each file whose rankings cannot be.
    """
    return _load(results_dir, task, read_rankings, no_places())


def _load(
    results_dir: str | Path | None,
    task: str | None,
    read: Callable[[Path, str], pa.Table | UnusableUnits],
    none: pa.Table,
) -> pd.DataFrame:
    """Read something of the files beside all records, with what the records are."""
    import pandas as pd
    import pyarrow as pa

    folder = results_folder(results_dir)
    store, tables, owners = ResultsStore(folder), [none], []
    for record in readable_records(folder, task):
        if record.units is None:
            continue
        found = read(store.path(record.spec), record.units)
        if isinstance(found, UnusableUnits):
            warnings.warn(one_line(f"left out {found.path}: {found.reason}"), stacklevel=3)
            continue
        tables.append(found)
        owners += [(record.run_id, *(getattr(record.spec, name) for name in RECORD_COLUMNS[1:]))] * len(found)
    return pd.DataFrame(owners, columns=list(RECORD_COLUMNS)).join(pa.concat_tables(tables).to_pandas())
