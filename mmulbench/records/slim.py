"""Keep of a record what tables show, in a tenth of the memory: there may be tens of thousands."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import Any, NamedTuple

from mmulbench.records.schema import Direction, Environment, RunResult, ScoreHistogram

NO_SCORES = ScoreHistogram(edges=[0.0, 1.0], before={}, after={})
"""Stands for the histograms of a slim record, of which tables read the paths alone."""

SETS = ("test", "retain", "forget")
"""Metrics whose parts are measures of the task, such as ``test/i2t_r@1``, and paths."""

DETAILS = ("mi_ratio", "u_lira", "lira", "relearn")
"""Metrics whose details on a path, such as ``mi_ratio/matching/ratio``, tables or figures show."""

UNRANKED = ("retrain_again",)
"""Methods whose numbers by unit no table reads."""

_FIELDS = set(RunResult.model_fields)


class SlimValue(NamedTuple):
    """Holds what a `mmulbench.records.schema.Value` does, by the same names, in a seventh of the memory."""

    value: float | None
    n: int
    direction: Direction
    retrain: float | None
    original: float | None
    low: float | None
    high: float | None
    chance: float | None


class Slimmer:
    """Makes records slim; what is equal in several is kept once.

    A slim record has no scores in its histograms, and no values that no table shows; it is not to be stored.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}

    def slim(self, record: RunResult) -> RunResult:
        """Return the slim record.

        Args:
            record: a valid record.
        """
        once = self._kept.setdefault
        values = {
            once(name, name): SlimValue(
                value.value,
                value.n,
                value.direction,
                value.retrain,
                value.original,
                value.low,
                value.high,
                value.chance,
            )
            for name, value in record.values.items()
            if _is_shown(name, record)
        }
        fields = {
            **dict(record),
            "values": values,
            "histograms": dict.fromkeys(record.histograms, NO_SCORES),
            "by_unit": self._by_unit(record),
            "environment": self._environment(record.environment),
        }
        return RunResult.model_construct(_FIELDS, **fields)

    def _by_unit(self, record: RunResult) -> dict[str, list[float]]:
        """Return the numbers by unit of a record that may be ranked, or that others are compared with."""
        if record.spec.method in UNRANKED:
            return {}
        # As arrays they take a quarter of the memory.
        found: dict[str, Any] = {name: array("d", of_unit) for name, of_unit in record.by_unit.items()}
        if "pairs" in found:  # the same in all records of a seed
            found["pairs"] = self._kept.setdefault(("pairs", *found["pairs"]), found["pairs"])
        return found

    def _environment(self, found: Environment) -> Environment:
        fields = dict(found)
        key = (*(value for value in fields.values() if not isinstance(value, dict)), *found.packages.items())
        kept: Environment = self._kept.setdefault(key, found)
        return kept


def _is_shown(name: str, record: RunResult) -> bool:
    metric, *parts = name.split("/")
    if len(parts) > 1:
        return metric in DETAILS
    return not parts or metric not in SETS or parts[0] in record.histograms
