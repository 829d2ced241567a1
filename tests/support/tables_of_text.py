"""Read the tables of a leaderboard back, and make records for them."""

from __future__ import annotations

import re

from mmulbench.core.registry import METRICS


def tables(text):
    """Every table as {row label: {column title without arrow: cell}}, in order."""
    found = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if not lines[0].startswith("| Method"):
            continue
        header, _, *body = [
            [cell.strip() for cell in re.split(r"(?<!\\) \|(?: |$)", line.removeprefix("|"))][:-1]
            for line in lines
        ]
        titles = [re.sub(r" (↑|↓|→retrain|≥retrain)$", "", title) for title in header]
        found.append({cells[0]: dict(zip(titles, cells, strict=True)) for cells in body})
    return found


def only_table(text):
    (table,) = tables(text)
    return table


def title(name):
    """The heading of a metric's column."""
    return METRICS.get(name)(name).title


def run(record, method, test, mia=0.5, retrain_mia=0.5, seeds=(42, 87), **fields):
    """One record per seed; `test` and `mia` are one number, or one per seed."""
    per_seed = [x if isinstance(x, tuple) else (x,) * len(seeds) for x in (test, mia, retrain_mia)]
    return [
        record(method, seed, {"test": t, "mia": {"value": m, "retrain": r}}, **fields)
        for seed, t, m, r in zip(seeds, *per_seed, strict=True)
    ]
