"""Render how fast what was deleted comes back: one table for each association path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product
from statistics import fmean

from mmulbench.records.schema import Value
from mmulbench.report.aggregate import RecordGroup
from mmulbench.report.cells import escape, markdown, mean_and_sd, number

RELEARN = "relearn"
"""Metric of the tables, and of the figure."""

HALVES = {"shown": "half trained on", "held_out": "held-out half"}
"""Parts of its details, and what they are of."""

CAPTION = (
    "Each model, and retrain beside it, is trained again on half of the forget set, on the same batches. "
    "The lead is the attack's AUC less retrain's, mean over both halves and all numbers of steps but 0: a "
    "lead of 0 is as retrain, above it what was deleted comes back faster than it is learnt. Then that AUC "
    "before training and after the most steps, of the half that is trained on and of the held-out half, with "
    "retrain's in parentheses. Only rows whose records hold it: `mmulbench evaluate RECORD --metrics "
    "relearn` adds it to one."
)


def relearn_tables(group: RecordGroup) -> list[str]:
    """Render the tables of a group's records that hold relearning.

    Args:
        group: the runs.

    Returns:
        Parts of the page, none where no record holds it.
    """
    names = {name for row in group.rows for record in row.done for name in record.values}
    paths = sorted(found[1] for found in map(re.compile(rf"{RELEARN}/([^/]+)").fullmatch, names) if found)
    found = [f"On the {escape(path)} path:\n\n{_table(group, path)}" for path in paths]
    return [CAPTION, *found] if found else []


def _table(group: RecordGroup, path: str) -> str:
    name = f"{RELEARN}/{path}"
    rows = [row for row in group.rows if row.values(name)]
    found = steps_of(name, (key for row in rows for record in row.done for key in record.values))
    steps = {step for of_half in found.values() for step in of_half}
    ends = product(HALVES.items(), sorted({min(steps), max(steps)}) if steps else [])
    keys = {f"{name}/{half}_{step}": f"{title}, {step} steps" for (half, title), step in ends}
    lines = [["Method", "Lead over retrain →0", *keys.values(), "Seeds"]]
    for row in rows:
        lead, seeds = row.summary(name), {seed for seed, _ in row.values(name)}
        cells = [_beside_retrain([value for _, value in row.values(key)]) for key in keys]
        mean = "" if lead is None else mean_and_sd(lead)
        lines.append([escape(row.label), mean, *cells, f"{len(seeds)}/{len(group.seeds)}"])
    return markdown(lines)


def steps_of(name: str, keys: Iterable[str]) -> dict[str, list[int]]:
    """Return the numbers of steps that there are details of, by half of the forget set.

    Args:
        name: relearning on a path, as records call it.
        keys: names of values, which may occur more than once.
    """
    pattern = re.compile(rf"{re.escape(name)}/({'|'.join(HALVES)})_([0-9]+)")
    found = {(match[1], int(match[2])) for match in map(pattern.fullmatch, keys) if match}
    return {half: sorted(step for of, step in found if of == half) for half in HALVES}


def _beside_retrain(values: Sequence[Value]) -> str:
    """Write the mean over seeds, and in parentheses that of retrain."""
    own = [value.value for value in values if value.value is not None]
    retrain = [value.retrain for value in values if value.retrain is not None]
    if not own:
        return ""
    return number(fmean(own)) + (f" ({number(fmean(retrain))})" if retrain else "")
