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
        value, counts = record.values.get(NAME.format(path)), found.before
        if value is not None and value.original is not None and {"forget", "unrelated"} <= counts.keys():
            forget, unrelated = sum(counts["forget"]), sum(counts["unrelated"])
            if (one := untaught(path, value.original, forget, unrelated)) is not None:
                yield one
