"""Why jobs wait, in Slurm's words, and what that means."""

from __future__ import annotations

import pytest

from mmulbench.sweeps.slurm_reasons import ANEW, reason_of_waiting

HELD = f"held; scontrol release jobname=mmulbench-1234abcd lets go, or {ANEW}"


@pytest.mark.parametrize(
    "text", ["JobHeldUser", "launch failed requeued held", "launch_failed_requeued_held", "JobHoldMaxRequeue"]
)
def test_held_jobs_are_to_be_released(text):
    found = reason_of_waiting(text, "mmulbench-1234abcd")
    assert (found.is_for_good, found.advice) == (True, HELD)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("JobHeldAdmin", "held by an administrator"),
        ("DependencyNeverSatisfied", "what they wait for will not come"),
        ("BadConstraints", "they ask for what no job may have"),
        ("PartitionTimeLimit", "they ask for what no job may have"),
        ("AssocMaxWallDurationPerJobLimit", "they ask for what no job may have"),
        ("QOSMaxCpuPerJobLimit", "they ask for what no job may have"),
        ("QOSMinGRES", "they ask for what no job may have"),
        ("AssocGrpCPUMinutesLimit", "the account has spent its time"),
        ("QOSGrpWallLimit", "the account has spent its time"),
        ("InvalidQOS", "account or QOS may not be used"),
        ("ReservationDeleted", "their reservation is gone"),
    ],
)
def test_what_holds_for_good_needs_somebody(text, advice):
    found = reason_of_waiting(text, "mine")
    assert found.is_for_good and found.advice.startswith(advice) and "mmulbench" in found.advice


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Resources", ""),
        ("Priority", ""),
        ("Dependency", ""),
        ("BeginTime", ""),
        ("PartitionDown", "the partition starts no jobs"),
        ("ReqNodeNotAvail, UnavailableNodes:node7", "the nodes that they need are down"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            "the nodes that they need are down",
        ),
        ("AssocMaxJobsLimit", "a limit of the account"),
        ("AssocGrpCpuLimit", "a limit of the account"),
        ("AssocGrpCPURunMinutesLimit", "a limit of the account"),
        ("QOSMaxJobsPerUserLimit", "a limit of the account"),
        ("JobArrayTaskLimit", "as many run as parallel allows"),
    ],
)
def test_what_may_end_by_itself_does_not(text, advice):
    found = reason_of_waiting(text, "mine")
    assert not found.is_for_good and found.advice.startswith(advice) and bool(found.advice) == bool(advice)
