"""Check one record whole: its values, their parts, its outcome, its settings, its command."""

from __future__ import annotations

from collections.abc import Iterator

from mmulbench.records.schema import METRIC_VERSION, RunResult
from mmulbench.validity.by_unit import check_units
from mmulbench.validity.command import check_command
from mmulbench.validity.findings import Finding, in_one_line
from mmulbench.validity.outcome import check_outcome
from mmulbench.validity.parts import check_parts
from mmulbench.validity.run_facts import check_facts
from mmulbench.validity.settings import check_settings
from mmulbench.validity.values import check_values


def findings(record: RunResult) -> Iterator[Finding]:
    """Yield the faults of a record, and what cannot be checked of it, field by field.

    Args:
        record: a record of a valid form.
    """
    yield from _of_all_but_the_command(record)
    yield from check_command(record)


def _of_all_but_the_command(record: RunResult) -> Iterator[Finding]:
    yield from check_outcome(record)
    yield from check_facts(record)
    if record.spec.metric_version == METRIC_VERSION:
        yield from check_values(record)
        yield from check_parts(record)
        yield from check_units(record)
    else:
        yield Finding("values", f"they are of metric version {record.spec.metric_version}")
    yield from check_settings(record)


def faults(record: RunResult) -> list[Finding]:
    """Return what is known to be wrong with a record.

    Args:
        record: a record of a valid form.
    """
    return [found for found in findings(record) if found.is_fault]


def reason_to_leave_out(record: RunResult) -> str | None:
    """Say in one line what is wrong with a record; None where nothing is.

    Args:
        record: a record of a valid form.
    """
    return in_one_line(faults(record))


def reason_to_make_again(record: RunResult) -> str | None:
    """Say in one line why the run of a record has to be made again; None where it need not.

    For a wrong command it need not: that is written anew.

    Args:
        record: a record of a valid form.
    """
    return in_one_line([found for found in _of_all_but_the_command(record) if found.is_fault])


def has_own_command(record: RunResult) -> bool:
    """Say whether the command that a record holds is one of its run.

    Args:
        record: a record of a valid form.
    """
    return not any(found.is_fault for found in check_command(record))
