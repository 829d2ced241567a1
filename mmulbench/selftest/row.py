"""One row of the truth table: what a value is of every planted model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Interval = tuple[float, float]
"""Least and greatest value that is right."""


@dataclass(frozen=True)
class Row:
    """Describes what one value is of every planted model.

    Attributes:
        value: name of the value, as in records.
        usual: what it is of the models that are not named in `but`.
        but: by planted model, what it is of the others.
        beside_retrain: whether retrain's value is subtracted.
        sees: what it says and what it is blind to, in a sentence.
    """

    value: str
    usual: Interval
    but: Mapping[str, Interval] = field(default_factory=dict)
    beside_retrain: bool = False
    sees: str = ""

    @property
    def metric(self) -> str:
        """The metric that the value is of."""
        return self.value.partition("/")[0]

    def expected(self, planted: str) -> Interval:
        """Return what the value is of a planted model."""
        return self.but.get(planted, self.usual)
