"""Say what a run was asked to delete: how much, by which list, of which data, and when."""

from __future__ import annotations

from contextlib import suppress
from itertools import accumulate

from mmulbench.audit.wording import Fact, counted, moment
from mmulbench.core.registry import TASKS
from mmulbench.errors import MmulbenchError
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import settings_text

LONGEST_IDS = 1200
"""Most characters of ids that the page names; a record holds them all."""


def asked(result: RunResult, *, show_ids: bool) -> list[Fact]:
    """Return what was asked.

    Args:
        result: the record.
        show_ids: whether ids of what was to be forgotten are named, where the record holds them.
    """
    spec = result.spec
    facts = [
        Fact("Data", _data(result)),
        Fact("To be forgotten", _amount(result)),
        Fact("Chosen by", _choice(result)),
    ]
    if spec.forget is not None:
        facts.append(Fact("Digest of the list", spec.forget.digest, is_code=True))
    if show_ids and result.forget_ids:
        facts.append(Fact("Ids on the list", _ids(result.forget_ids)))
    facts += [
        Fact("Digest of the data", spec.data_fingerprint, is_code=True),
        Fact("Done", f"{moment(result.started)} to {moment(result.finished)}"),
    ]
    return facts


def pairs_asked(result: RunResult) -> int | None:
    """Return the number of pairs of the forget set; None where the record does not say it."""
    if result.spec.forget is not None:
        return result.spec.forget.pairs
    pairs = result.by_unit.get("pairs")
    return None if not pairs else round(sum(pairs))


def _data(result: RunResult) -> str:
    spec, about = result.spec, ""
    with suppress(MmulbenchError):  # of a plug-in that is not here
        about = f": {TASKS.describe(spec.task).rstrip('.')}"
    settings = f" ({settings_text(spec.task_config)})" if spec.task_config else ""
    return f"task {spec.task}{about}{settings}"


def _amount(result: RunResult) -> str:
    pairs = pairs_asked(result)
    units = counted(result.spec.forget_size, "forget unit")
    if result.spec.forget is not None and result.spec.forget.level == "pairs":
        single = counted(result.spec.forget.pairs, "single pair")
        return f"{single} of {units}; all other pairs of these units stay"
    return units if pairs is None else f"{units} with {counted(pairs, 'pair')} in all"


def _choice(result: RunResult) -> str:
    if result.spec.forget is None:
        return f"a random draw with seed {result.spec.seed}, as in an experiment; no list was given"
    kept = "which is in the record" if result.forget_ids else "of which the record holds the digest alone"
    return f"a list, {kept}"


def _ids(ids: tuple[str, ...]) -> str:
    """Name as many ids as there is room for, at least one, and say how many are not named."""
    lengths = accumulate(len(one) + 2 for one in ids)
    count = max(sum(length <= LONGEST_IDS for length in lengths), 1)
    shown = ", ".join(one.replace("\t", " with ") for one in ids[:count])
    more = len(ids) - count
    return f"{shown} and {more:,} more, which the record names" if more else shown
