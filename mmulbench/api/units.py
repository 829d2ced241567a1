"""Read the scores by unit that lie beside records, as a data frame."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.api.records import readable_records, results_folder
from mmulbench.plain_text import one_line
from mmulbench.records.store import ResultsStore
from mmulbench.records.unit_files import UnusableUnits, no_units, read_units

if TYPE_CHECKING:
    import pandas as pd

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
    import pandas as pd
    import pyarrow as pa

    folder = results_folder(results_dir)
    store, tables, owners = ResultsStore(folder), [no_units()], []
    for record in readable_records(folder, task):
        if record.units is None:
            continue
        found = read_units(store.path(record.spec), record.units)
        if isinstance(found, UnusableUnits):
            warnings.warn(one_line(f"left out {found.path}: {found.reason}"), stacklevel=2)
            continue
        tables.append(found)
        owners += [(record.run_id, *(getattr(record.spec, name) for name in RECORD_COLUMNS[1:]))] * len(found)
    return pd.DataFrame(owners, columns=list(RECORD_COLUMNS)).join(pa.concat_tables(tables).to_pandas())
