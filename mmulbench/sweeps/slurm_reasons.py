"""Say why Slurm lets jobs wait, whether that ends by itself, and what to do about it."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

ANEW = "mmulbench cancel, and then mmulbench retry, submits anew"
OTHERWISE = "mmulbench cancel, and then mmulbench retry with another --slurm KEY=VALUE, submits anew"


class Reason(NamedTuple):
    """Holds what a reason of Slurm means.

    Attributes:
        is_for_good: whether a job that waits for it starts only when somebody does something.
        advice: explanation and what to do, in one line; empty where there is nothing to do but wait.
    """

    is_for_good: bool
    advice: str


_KNOWN = (
    ("JobHeldUser|.*requeued.*held.*|JobHoldMaxRequeue", True, f"held; {{release}} lets go, or {ANEW}"),
    ("JobHeldAdmin", True, f"held by an administrator, who has to let go ({{release}}); or {ANEW}"),
    ("DependencyNeverSatisfied", True, f"what they wait for will not come; {ANEW}"),
    (
        "BadConstraints|QOSMin.*|(Assoc|QOS)Max.*(Per(Job|Node)|Wall).*|Partition(Time|Node)Limit"
        "|MaxMemPerLimit",
        True,
        f"they ask for what no job may have; {OTHERWISE}",
    ),
    (
        "(?!.*RunMinutes)(Assoc|QOS)Grp(.*Minutes.*|Wall.*)|QOSUsageThreshold|(Association|QOS)TimeLimit",
        True,
        f"the account has spent its time; ask for more, or {OTHERWISE}",
    ),
    ("Invalid(Account|QOS)|(Account|QOS)NotAllowed", True, f"account or QOS may not be used; {OTHERWISE}"),
    ("ReservationDeleted", True, f"their reservation is gone; {OTHERWISE}"),
    (
        "Partition(Down|Inactive)",
        False,
        f"the partition starts no jobs until it is opened again; or {OTHERWISE}",
    ),
    (
        "ReqNodeNotAvail.*|NodeDown|Nodes.required.for.job.are.*",
        False,
        f"the nodes that they need are down, drained or reserved; sinfo -R says why, and {OTHERWISE}",
    ),
    ("(Assoc|QOS).*", False, "a limit of the account: they start when other jobs have ended"),
    ("JobArrayTaskLimit", False, "as many run as parallel allows"),
)
"""Patterns of Slurm's reasons, whether they hold for good, and what to do; the first that fits counts."""


def reason_of_waiting(text: str, job_name: str) -> Reason:
    """Return what a reason means.

    Args:
        text: reason as ``squeue --format=%r`` prints it.
        job_name: name of the sweep's jobs.
    """
    for pattern, is_for_good, advice in _KNOWN:
        if re.fullmatch(pattern, text):
            release = f"scontrol release {shlex.quote(f'jobname={job_name}')}"
            return Reason(is_for_good, advice.format(release=release))
    return Reason(False, "")
