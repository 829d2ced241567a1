"""Set the utility that a model kept beside retrain's and the original's."""

from __future__ import annotations

from typing import NamedTuple

from mmulbench.audit.wording import ABSENT
from mmulbench.metrics.catalogue import with_role
from mmulbench.records.published import UTILITY_TOLERANCE
from mmulbench.records.schema import RunResult
from mmulbench.report.cells import points

ABOUT = {"test": "data that no model has seen", "retain": "training data that were to stay"}
"""What each utility is measured on."""


class Utility(NamedTuple):
    """Holds one utility.

    Attributes:
        title: its name, with what it is measured on.
        value: of the unlearned model.
        retrain: of retrain.
        original: of the original.
        difference: points above or below retrain, or where there is none below the original.
        finding: what that comes to.
    """

    title: str
    value: float | None
    retrain: float | None
    original: float | None
    difference: str
    finding: str


def utilities(result: RunResult) -> list[Utility]:
    """Return the utilities that a verdict looks at.

    Args:
        result: the record.
    """
    found = []
    for metric in with_role("utility"):
        value = result.values.get(metric.name)
        if value is None:
            continue
        title = ABOUT.get(metric.name, metric.title)
        reference = value.retrain if value.retrain is not None else value.original
        if value.value is None or reference is None:
            said = (ABSENT, "not known")
        else:
            beside = "retrain" if value.retrain is not None else "the original"
            said = (points(value.value - reference), _finding(value.value - reference, beside))
        found.append(Utility(title, value.value, value.retrain, value.original, *said))
    return found


def _finding(difference: float, beside: str) -> str:
    if round(-difference, 9) > UTILITY_TOLERANCE:
        return f"lost, beside {beside}"
    return f"kept, beside {beside}"
