"""Compare two methods by their records, from Python: what ``mmulbench compare`` prints, as a data frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmulbench.api.records import results_folder
from mmulbench.api.sides import Sides, Where, find_sides, references_of
from mmulbench.errors import UsageError
from mmulbench.plain_text import one_line
from mmulbench.records.unit_files import UnusableUnits, read_units
from mmulbench.report.aggregate import MethodRow
from mmulbench.report.paired_rows import Compared, as_fields, compare_rows, seeds_sentence
from mmulbench.report.paired_units import Units
from mmulbench.report.same_scene import refuse_other_models

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """Holds the differences of two methods on one task, with how sure each is.

    Attributes:
        first: name of the first method, with what tells it from others of its name.
        second: the same of the second.
        task: name of the task.
        backbone: full name of the backbone.
        forget: how much is forgotten, in words.
        seeds: the seeds that both were run with.
        rows: the values that both have.
        notes: what is to be known of the table; one line each.
    """

    first: str
    second: str
    task: str
    backbone: str
    forget: str
    seeds: tuple[int, ...]
    rows: tuple[Compared, ...]
    notes: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """Return a row for each value: both means, the difference, intervals, p-values, effect size."""
        import pandas as pd

        return pd.DataFrame([as_fields(row) for row in self.rows])

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {
            **{name: getattr(self, name) for name in ("first", "second", "task", "backbone", "forget")},
            "seeds": list(self.seeds),
            "values": [dict(as_fields(row)) for row in self.rows],
            "notes": list(self.notes),
        }


def compare(
    first: str,
    second: str,
    *,
    task: str | None = None,
    backbone: str | None = None,
    forget_size: int | None = None,
    results_dir: str | Path | None = None,
) -> Comparison:
    """Compare two methods on one task, paired over the seeds that both have, and over forget units.

    The differences are first - second: of the gap to retrain, the attack's AUC and Df|Dr on each association
    path, test, retain and forget utility, and cost. With three seeds or more in common their interval is that
    of Student's t over seeds; beside it stands the one over units, with the models as they are, from a
    bootstrap within each seed. P-values are corrected after Holm for all rows of the table.

    Args:
        first: name of a method, of one of its variants, such as ``mmul@lr=0.001``, ``mmul@tuned`` or
            ``mmul@default``, or a record's path or the start of its id; the name alone is the tuned variant
            where there is one.
        second: the same of the other side.
        task: the task; None where both are in one table alone.
        backbone: full name of the backbone; None where there is one.
        forget_size: number of forget units; None where there is one.
        results_dir: folder of the records; None for MMULBENCH_RESULTS, else ``results``.

    Returns:
        The differences; ``.frame()`` has them as a data frame.

    Raises:
        UsageError: when a name is unknown or is that of several variants, or the two cannot be compared:
            other tasks, forget sets, data, versions, originals or retrains, or no seed in common.
        MmulbenchError: when a record does not hold.
    """
    where = Where(results_folder(results_dir), task, backbone, forget_size)
    sides = find_sides(first, second, where)
    refuse_other_models(sides.first, sides.second)
    notes: list[str] = []
    rows = compare_rows(sides.first, sides.second, references_of(sides.key, where), _units(sides, notes))
    if not rows:
        raise UsageError(f"{sides.first.label} and {sides.second.label} have no value in common")
    return Comparison(
        first=sides.first.label,
        second=sides.second.label,
        task=sides.key.task,
        backbone=sides.key.backbone,
        forget=sides.key.forget_text,
        seeds=tuple(sorted(set(sides.first.done_seeds) & set(sides.second.done_seeds))),
        rows=tuple(rows),
        notes=(*notes, *_left_out(sides.first, sides.second), seeds_sentence(rows)),
    )


def _units(sides: Sides, notes: list[str]) -> Units:
    """Read the scores by unit that records keep, and note those that cannot be used."""
    found = {}
    for record in (*sides.first.done, *sides.second.done):
        if record.units is not None:
            read = read_units(sides.files[record.run_id], record.units)
            if isinstance(read, UnusableUnits):
                notes.append(one_line(f"Test units are taken as they are: {read.path}: {read.reason}."))
            else:
                found[record.run_id] = read
    if len(found) < len(sides.first.done) + len(sides.second.done) and not notes:
        notes.append(
            "Over units, forget units are drawn, and test units taken as they are: not all records keep "
            "scores by unit."
        )
    return found


def _left_out(first: MethodRow, second: MethodRow) -> Iterator[str]:
    """Say which seeds are not compared, and why."""
    for row, other in ((first, second), (second, first)):
        for record in row.records:
            if record.status != "done":
                yield f"Left out seed {record.spec.seed}: {row.label} {record.status.replace('_', ' ')}."
        alone = sorted(set(row.done_seeds) - set(other.done_seeds))
        if alone:
            named = f"seed{'s' if len(alone) > 1 else ''} {', '.join(map(str, alone))}"
            yield f"Left out {named} of {row.label}, which {other.label} has no numbers of."
