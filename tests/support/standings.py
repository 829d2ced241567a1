"""How methods stand, made of a few numbers, to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmulbench.records.group_key import GroupKey
from mmulbench.report.noise_floor import GAP
from mmulbench.report.page import Tables, TableText
from mmulbench.report.standing import Line, Measure, Shown, Standing

COLUMNS = (
    Shown("test", "Test utility", "not_below_retrain"),
    Shown("mia/matching", "MIA AUC, matching", "closest_to_retrain"),
    Shown(GAP, "Gap to retrain", "lower"),
)


def measure(mean: float, half: float | None = 0.01, **fields: Any) -> Measure:
    """A value over three seeds, or over one where it has no interval."""
    if half is None:
        return Measure(mean, None, 1, None, None, **fields)
    return Measure(mean, half / 2.48, 3, mean - half, mean + half, **fields)


def line(
    name: str, block: Any = "ranked", rank: int | None = None, gap: float | None = 0.1, **fields: Any
) -> Line:
    """A line with a gap, an attack .1 above retrain's and test utility 1 point below it."""
    measures: Mapping[str, Measure] = {}
    if gap is not None:
        measures = {
            GAP: measure(gap),
            "test": measure(0.5, retrain=0.51, difference=-0.01, distance=0.01),
            "mia/matching": measure(0.6, retrain=0.5, difference=0.1, distance=0.1),
        }
    defaults: dict[str, Any] = {
        "method": name.split(" ")[0].rstrip(","),
        "verdict": "forgot",
        "out": "",
        "measures": measures,
        "worst": "" if gap is None else "mia/matching",
        "seconds": measure(12.0),
        "ratio": measure(0.083),
        "tuned": "no",
        "seeds": "3/3",
        "best": (GAP,) if rank == 1 else (),
        "absent": "failed" if gap is None else "",
    }
    return Line(name=name, block=block, rank=rank, **defaults | fields)


def standing(*lines: Line, task: str = "emoji", **fields: Any) -> Standing:
    """A table of these lines."""
    key = GroupKey(task, "albef:packaged", 64, "", "{}", "d" * 64, "2", "2", "{}", "{}", "{}")
    defaults: dict[str, Any] = {"not_applicable": (), "missing": (), "why_not": "", "floor": 0.008}
    return Standing(key=key, seeds=(21, 42, 87), columns=COLUMNS, lines=lines, **defaults | fields)


def texts(*standings: Standing) -> Sequence[TableText]:
    """What is kept of tables."""
    return [TableText(one.key, one, "details", None) for one in standings]


def found(*standings: Standing) -> Tables:
    """Tables of a folder in which nothing is left out."""
    return Tables(texts(*standings), [], None)


WHOLE = standing(
    line("retrain", "reference", gap=0.0, verdict="reference", worst=""),
    line("near (tuned)", rank=1, gap=0.03),
    line("as_near", rank=1, gap=0.035),
    line("far", rank=3, gap=0.2),
    line("broken", "out", gap=0.02, out="retain −9.0"),
    line("idle", "unforgotten", gap=0.29, verdict="did not forget"),
    line("original", "unforgotten", gap=0.3, verdict="did not forget"),
    line("crashed", "no result", gap=None, verdict="failed", seconds=None, ratio=None),
    line("near, no UKR", "variant", gap=0.05),
    not_applicable=(("erm_ktp", "no class to delete"),),
    missing=("npo",),
)
