"""Slurm's commands: what they answer, in any bytes, and why sbatch refuses."""

from __future__ import annotations

import time

import pytest
from slurm_answers import SlurmAnswers

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.slurm_commands import (
    USUAL_ARRAY_SIZE,
    FullQueue,
    RefusedJobs,
    answer,
    reasons,
    sbatch,
    this_cluster,
)


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> SlurmAnswers:
    answers = SlurmAnswers(tmp_path / "bin")
    monkeypatch.setenv("PATH", answers.path)
    return answers


def test_a_cluster_says_its_name_and_its_largest_array(slurm):
    slurm.say("scontrol", "ClusterName             = ci\nMaxArraySize            = 501\n")
    assert this_cluster() == ("ci", 501)
    slurm.say("scontrol", "Configuration data\n")
    assert this_cluster() == ("", USUAL_ARRAY_SIZE)


def test_answers_need_not_be_utf_8(slurm, tmp_path):
    slurm.say("squeue", "")
    (tmp_path / "bin" / "squeue.out").write_bytes(b"Gr\xfc\xdfe\n")
    assert answer(["squeue"]) == "Gr\ufffd\ufffde\n"
    slurm.say("squeue", "", code=1)
    (tmp_path / "bin" / "squeue.err").write_bytes(b"squeue: error: n\xe9ant\n")
    with pytest.raises(MmulbenchError, match=r"^Slurm does not answer: n\ufffdant$"):
        answer(["squeue"])


def test_nothing_of_a_job_around_reaches_a_command(slurm, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "300")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    assert sbatch(["/dev/null"]) == "1"
    assert {line for line in slurm.environments()[0] if line.startswith("SLURM")} == {
        "SLURM_CONF=/etc/slurm.conf"
    }


POLICY = (
    "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy "
    "(job submit limit, user's size and/or time limits)"
)


# What sbatch of Slurm 22.05.8 printed when it refused jobs.
@pytest.mark.parametrize(
    ("said", "is_full", "reason"),
    [
        (f"sbatch: error: AssocMaxSubmitJobLimit\n{POLICY}", True, "AssocMaxSubmitJobLimit"),
        (POLICY, True, reasons(POLICY)),  # an older one, which does not say which limit
        (
            f"sbatch: error: QOSMaxWallDurationPerJobLimit\n{POLICY}",
            False,
            f"QOSMaxWallDurationPerJobLimit; {reasons(POLICY)}",
        ),
        (
            "sbatch: error: invalid partition specified: nowhere",
            False,
            "invalid partition specified: nowhere",
        ),
    ],
)
def test_a_queue_that_is_full_is_told_from_other_refusals(slurm, said, is_full, reason):
    slurm.say("sbatch", "", err=said, code=1)
    with pytest.raises(RefusedJobs) as refused:
        sbatch(["script.sh"])
    assert isinstance(refused.value, FullQueue) is is_full
    assert str(refused.value) == reason


def test_a_refusal_may_have_any_bytes(slurm, tmp_path):
    slurm.say("sbatch", "", code=1)
    (tmp_path / "bin" / "sbatch.err").write_bytes(b"sbatch: error: pas autoris\xe9\n")
    with pytest.raises(RefusedJobs, match=r"^pas autoris\ufffd$"):
        sbatch(["script.sh"])


def test_a_banner_does_not_hide_the_id(slurm):
    slurm.say("sbatch", "Welcome to job 7!\nSubmitted batch job 4711 on cluster b\n")
    assert sbatch(["script.sh"]) == "4711"


@pytest.mark.slow
def test_sbatch_is_not_left_to_wait_for_room(slurm, tmp_path):
    said = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying"
    (tmp_path / "bin" / "sbatch").write_text(f"#!/bin/sh\necho '{said}' >&2\nexec sleep 300\n")
    began = time.monotonic()
    with pytest.raises(FullQueue, match=r"^Slurm temporarily unable to accept job$"):
        sbatch(["script.sh"])
    assert time.monotonic() - began < 200


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sbatch: error: no such partition\n\nsbatch: fatal: giving up\n", "no such partition; giving up"),
        ("plain", "plain"),
        ("\n", "no reason given"),
    ],
)
def test_reasons_are_one_line(text, line):
    assert reasons(text) == line
