"""The failed record of a run whose worker was killed."""

from __future__ import annotations

from datetime import timedelta

from sweep_toys import make_sweep, record_of, state

from mmulbench.records.store import ResultsStore
from mmulbench.sweeps.killed_step import KEPT, state_of_killed, store_failure


def test_the_planned_record_is_stored_with_the_reason(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    step = plan.steps[1]
    planned = record_of(step, status="failed", reason="was ended")
    folder.planned(step.step_id).write_text(planned.model_dump_json())
    found = state_of_killed(folder, step.step_id, state(), "took too long", folder.read())
    record = ResultsStore(tmp_path / "results").find(planned.spec)
    assert (record.status, record.reason) == ("failed", "took too long")
    assert (found.status, found.reason, found.killed) == ("failed", "took too long", True)
    assert found.record == str(ResultsStore(tmp_path / "results").path(planned.spec))
    assert not folder.planned(step.step_id).exists()


def test_a_run_that_was_recorded_before_its_worker_was_killed_is_done(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    step = plan.steps[1]
    planned = record_of(step, status="failed", reason="was ended")
    folder.planned(step.step_id).write_text(planned.model_dump_json())
    ResultsStore(tmp_path / "results").write(record_of(step))
    found = state_of_killed(folder, step.step_id, state(), "took too long", folder.read())
    assert (found.status, found.reason, found.killed) == ("done", None, False)


def test_a_failure_takes_no_place_that_is_not_its_own(tmp_path):
    _, plan = make_sweep(tmp_path, "works")
    store = ResultsStore(tmp_path / "results")
    done = record_of(plan.steps[1])
    failed = done.model_copy(
        update={"status": "failed", "reason": "x", "started": done.finished + timedelta(seconds=1)}
    )
    store.write(done)
    said = failed.model_copy(update={"reason": f"x; {KEPT}"})
    assert store_failure(store, failed) == said  # numbers are not given up for a failure, which is told
    assert store.find(done.spec) == done
    earlier = failed.model_copy(update={"started": done.started - timedelta(seconds=1)})
    assert store_failure(store, earlier) == done  # somebody made the run meanwhile
    store.path(done.spec).unlink()
    assert store_failure(store, failed) == store.find(done.spec) == failed


def test_a_killed_try_beside_an_earlier_done_record_is_in_trouble(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    step, store = plan.steps[1], ResultsStore(tmp_path / "results")
    done = record_of(step)
    store.write(done)
    planned = record_of(step, status="failed", reason="was ended")
    folder.planned(step.step_id).write_text(planned.model_dump_json())
    found = state_of_killed(folder, step.step_id, state(), "took too long", folder.read())
    assert (found.status, found.reason, found.killed) == ("failed", f"took too long; {KEPT}", True)
    assert store.find(done.spec) == done


def test_a_record_that_cannot_be_written_leaves_a_state_that_says_so(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    step = plan.steps[1]
    (tmp_path / "results").write_text("a file")
    folder.planned(step.step_id).write_text(record_of(step).model_dump_json())
    found = state_of_killed(folder, step.step_id, state(), "took too long", folder.read())
    assert found.status == "failed" and found.record is None
    assert found.reason.startswith("took too long; its record is missing: cannot write ")


def test_a_worker_killed_before_it_knew_what_to_record_leaves_its_state(tmp_path):
    folder, plan = make_sweep(tmp_path, "works")
    folder.planned(plan.steps[1].step_id).write_text("{")
    for step in plan.steps:
        found = state_of_killed(folder, step.step_id, state(), "took too long", folder.read())
        assert (found.status, found.reason, found.record) == ("failed", "took too long", None)
