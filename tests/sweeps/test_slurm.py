"""What is submitted to Slurm: arrays that wait for each other, and what is left when it refuses."""

from __future__ import annotations

import pytest
from slurm_answers import SlurmAnswers
from sweep_toys import make_sweep, record_of, state

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.records.schema import Cost
from mmulbench.records.store import ResultsStore
from mmulbench.runs.request import RunOptions
from mmulbench.sweeps.executor import Handover, Selection
from mmulbench.sweeps.slurm import SlurmExecutor
from mmulbench.sweeps.slurm_jobs import read_jobs

pytest.importorskip("submitit")

REFUSED = """\
sbatch: error: AssocMaxSubmitJobLimit
sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's \
size and/or time limits)
"""
"""What sbatch of Slurm 22.05.8 printed where MaxSubmitJobs was reached."""


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> SlurmAnswers:
    answers = SlurmAnswers(tmp_path / "bin")
    monkeypatch.setenv("PATH", answers.path)
    return answers


@pytest.fixture
def selection(tmp_path) -> Selection:
    folder, plan = make_sweep(tmp_path, "one", "two", "three")
    options = RunOptions(results_dir=tmp_path / "results", cache_dir=tmp_path / "cache")
    return Selection(folder, options, plan, plan)


def tasks_of(selection: Selection) -> list[tuple[str, list[str]]]:
    """Which job makes which steps."""
    titles = {step.step_id: step.job.method for step in selection.plan.of("run")}
    jobs = read_jobs(selection.folder)
    return [(task.job, [titles.get(step, "original") for step in task.steps]) for task in jobs.tasks]


def arrays_of(selection: Selection) -> dict[str, list[str]]:
    """Which array makes which steps."""
    jobs = read_jobs(selection.folder)
    assert jobs is not None
    found: dict[str, list[str]] = {}
    for task in jobs.tasks:
        found.setdefault(task.array, []).extend(task.steps)
    return found


def test_runs_wait_for_what_they_need_and_are_packed(slurm, selection, capsys):
    assert SlurmExecutor(pack="2").run(selection, quiet=True) is Handover.SUBMITTED
    assert capsys.readouterr().err == "submitted as Slurm jobs 1, 2; this terminal may be closed\n"
    assert tasks_of(selection) == [("1", ["original"]), ("2_0", ["one", "two"]), ("2_1", ["three"])]
    first, second = slurm.submitted()
    assert "--dependency=afterany:1" in second
    assert not any("dependency" in option for option in first)
    assert {"--array=0-1%2", "--time=60", "--requeue", "--job-name=mmulbench-1234abcd"} <= second


def test_settings_reach_sbatch(slurm, selection):
    given = {"time": "2:00:00", "parallel": "1", "mem_gb": "0.5", "cpus": "2", "exclusive": "true"}
    SlurmExecutor(sbatch=given, timeout=5.0).run(selection, quiet=True)
    _, second = slurm.submitted()
    wanted = {"--array=0-2%1", "--time=120", "--mem=512M", "--cpus-per-task=2", "--exclusive"}
    assert wanted <= second
    assert read_jobs(selection.folder).timeout == 5.0


def test_runs_are_packed_by_the_time_that_records_tell(slurm, selection, tmp_path):
    record = record_of(selection.plan.steps[1], cost=Cost(seconds=1.0))
    ResultsStore(tmp_path / "results").write(record)
    SlurmExecutor(pack="30m").run(selection, quiet=True)
    assert tasks_of(selection)[1:] == [("2", ["one", "two", "three"])]


def test_arrays_are_no_larger_than_the_cluster_allows(slurm, selection):
    slurm.say("scontrol", "MaxArraySize            = 2\n")
    SlurmExecutor().run(selection, quiet=True)
    assert [job for job, _ in tasks_of(selection)] == ["1", "2_0", "2_1", "3"]
    assert "--dependency=afterany:1" in slurm.submitted()[2]


def test_steps_that_have_ended_or_are_queued_are_not_submitted_again(slurm, selection, capsys):
    original, one, *_ = selection.plan.steps
    selection.folder.write_state(original.step_id, state("done"))
    selection.folder.write_state(one.step_id, state("failed"))
    SlurmExecutor().run(selection, quiet=True)
    assert tasks_of(selection) == [("1_0", ["two"]), ("1_1", ["three"])]
    slurm.queue("1_0|RUNNING|None", "1_1|PENDING|Priority")
    assert SlurmExecutor().run(selection, quiet=True) is Handover.UNCHANGED
    assert capsys.readouterr().err.endswith("there is nothing to submit; this terminal may be closed\n")
    slurm.queue("1_0|FAILED|None", "1_1|PENDING|Priority")
    assert SlurmExecutor().run(selection, quiet=True) is Handover.SUBMITTED
    assert tasks_of(selection)[2:] == [("2", ["two"])]


@pytest.mark.parametrize(("second", "missing"), [("running", ["one"]), ("queued", [])])
def test_a_step_that_a_live_job_has_behind_it_is_submitted_again(slurm, selection, second, missing):
    """It failed, and was queued again while the job made the next one; before that the job would make it."""
    original, one, two, _ = selection.plan.steps
    selection.folder.write_state(original.step_id, state("done"))
    SlurmExecutor(pack="3").run(selection, quiet=True)
    assert tasks_of(selection) == [("1", ["one", "two", "three"])]
    slurm.queue("1|RUNNING|None")
    selection.folder.write_state(one.step_id, state("queued"))
    selection.folder.write_state(two.step_id, state(second))
    SlurmExecutor(pack="3").run(selection, quiet=True)
    assert [steps for _, steps in tasks_of(selection)[1:]] == [missing] * bool(missing)


def test_runs_wait_for_what_was_queued_before(slurm, selection):
    chosen = selection.plan.with_needs([selection.plan.steps[0].step_id])
    SlurmExecutor().run(Selection(selection.folder, selection.options, selection.plan, chosen), quiet=True)
    slurm.queue("1|PENDING|Priority")
    SlurmExecutor().run(selection, quiet=True)
    assert "--dependency=afterany:1" in slurm.submitted()[1]


def test_jobs_of_a_submission_that_was_cut_off_are_ended_first(slurm, selection, capsys):
    place = selection.folder.root / "slurm"
    place.mkdir()
    slurm.say("squeue", f"77_0|PENDING|None|{place}/submitted-0a1b.sh\n")
    assert SlurmExecutor(pack="3").run(selection, quiet=True) is Handover.SUBMITTED
    assert slurm.calls("scancel") == ["--quiet 77"]
    first, second = capsys.readouterr().err.splitlines()
    assert first == "ended Slurm jobs 77, left by a submission that was cut off"
    assert second == "submitted as Slurm jobs 1, 2; this terminal may be closed"


def test_jobs_that_are_refused_leave_nothing(slurm, selection):
    slurm.accept(1)
    with pytest.raises(MmulbenchError, match=r"^Slurm refused the jobs \(partition=gpu\): enough$"):
        SlurmExecutor(sbatch={"partition": "gpu"}).run(selection, quiet=True)
    assert slurm.calls("scancel") == ["--quiet 1"]
    assert read_jobs(selection.folder) is None


def test_jobs_that_are_refused_leave_what_was_submitted_before(slurm, selection):
    SlurmExecutor().run(selection, quiet=True)
    before = read_jobs(selection.folder)
    slurm.accept(0)
    with pytest.raises(MmulbenchError, match="Slurm refused the jobs: enough"):
        SlurmExecutor(pack="2").run(selection, quiet=True)
    assert read_jobs(selection.folder) == before


def test_what_slurm_has_no_room_for_is_submitted_later(slurm, tmp_path, capsys):
    folder, plan = make_sweep(tmp_path, *(f"m{number}" for number in range(12)))
    options = RunOptions(results_dir=tmp_path / "results", cache_dir=tmp_path / "cache")
    selection = Selection(folder, options, plan, plan)
    slurm.make_room(8, REFUSED)
    assert SlurmExecutor().run(selection, quiet=True) is Handover.SUBMITTED
    # The original, and then halves of what there is no room for, until there is none for a single job.
    assert [len(steps) for steps in arrays_of(selection).values()] == [1, 6, 1]
    assert capsys.readouterr().err.splitlines() == [
        "submitted as Slurm jobs 1, 2, 3; this terminal may be closed",
        "Slurm takes no more jobs now (AssocMaxSubmitJobLimit); not submitted yet: 5 steps; the same "
        "command, or mmulbench retry, goes on when jobs have ended; --pack 10 makes fewer jobs",
    ]
    assert not list((folder.root / "slurm").glob("*-*.pkl"))
    queue = [f"2_{number}|PENDING|Dependency" for number in range(6)]
    slurm.queue("1|RUNNING|None", *queue, "3|PENDING|Dependency")
    assert SlurmExecutor().run(selection, quiet=True) is Handover.UNCHANGED
    assert capsys.readouterr().err.startswith("Slurm takes no more jobs now")
    slurm.make_room(100, REFUSED)
    assert SlurmExecutor().run(selection, quiet=True) is Handover.SUBMITTED
    found = arrays_of(selection)
    assert [len(steps) for steps in found.values()] == [1, 6, 1, 5]
    assert sorted(step for steps in found.values() for step in steps) == sorted(s.step_id for s in plan.steps)
    assert "--dependency=afterany:1" in slurm.submitted()[-1]


def test_a_queue_without_room_for_one_job_is_an_error(slurm, selection):
    slurm.make_room(0, REFUSED)
    said = "has no room for a single job: try again when jobs of yours have ended"
    with pytest.raises(MmulbenchError, match=said):
        SlurmExecutor().run(selection, quiet=True)
    assert read_jobs(selection.folder) is None
    assert not list((selection.folder.root / "slurm").iterdir())


def test_a_sweep_of_another_cluster_is_not_submitted_here(slurm, selection):
    slurm.say("scontrol", "ClusterName             = here\n")
    SlurmExecutor().run(selection, quiet=True)
    before = read_jobs(selection.folder)
    assert before is not None and before.cluster == "here"
    slurm.say("scontrol", "ClusterName             = there\n")
    with pytest.raises(MmulbenchError, match="was submitted to the Slurm cluster here, and this is there"):
        SlurmExecutor().run(selection, quiet=True)
    assert read_jobs(selection.folder) == before


def test_what_has_ended_on_another_cluster_does_not_keep_the_rest_there(slurm, selection):
    slurm.say("scontrol", "ClusterName             = here\n")
    original = selection.plan.steps[0].step_id
    chosen = selection.plan.with_needs([original])
    SlurmExecutor().run(Selection(selection.folder, selection.options, selection.plan, chosen), quiet=True)
    selection.folder.write_state(original, state("done"))
    slurm.say("scontrol", "ClusterName             = there\n")
    SlurmExecutor().run(selection, quiet=True)
    after = read_jobs(selection.folder)
    assert after is not None and after.cluster == "there"
    assert [task.job for task in after.tasks] == ["2_0", "2_1", "2_2"]


def test_a_sweep_is_submitted_by_one_process_at_a_time(slurm, selection):
    said = "sweep 1234abcd is being submitted by another process"
    with selection.folder.claim("slurm"), pytest.raises(UsageError, match=said):
        SlurmExecutor().run(selection, quiet=True)


def test_without_slurm_it_says_what_to_install(selection, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="needs Slurm's commands, and sbatch is not here"):
        SlurmExecutor().run(selection, quiet=True)
