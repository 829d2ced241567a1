"""Find the association paths that the original of a record never learned."""

from __future__ import annotations

from collections.abc import Iterator

from mmulbench.metrics.untaught import Untaught, untaught
from mmulbench.records.schema import RunResult

NAME = "decoupling/{}/auc"
"""Name of the value that tells the forget set's pairs from unrelated ones on a path."""


def untaught_in(record: RunResult) -> Iterator[Untaught]:
    """Yield the paths on which an original learned next to nothing, in the order of their names.

    Args:
        record: the record; of one without the value of a path nothing is said.
    """
    for path, found in sorted(record.histograms.items()):
        value = record.values.get(NAME.format(path))
        forget, unrelated = (sum(found.before.get(name, ())) for name in ("forget", "unrelated"))
        if value is None or value.original is None or not (forget and unrelated):
            continue
        if (one := untaught(path, value.original, forget, unrelated)) is not None:
            yield one
