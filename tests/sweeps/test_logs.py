"""What a step printed when it was last made, as `--debug` shows it."""

from __future__ import annotations

from sweep_toys import ORIGINAL, Toy, make_sweep

from mmulbench.sweeps.logs import last_attempt, print_failures
from mmulbench.sweeps.status import sweep_status
from mmulbench.sweeps.worker import StepQueue


def test_only_the_last_attempt_is_shown(tmp_path):
    folder, plan = make_sweep(tmp_path, "raises", "works")
    StepQueue(folder, plan.steps, Toy(tmp_path)).run()
    failed = plan.steps[1].step_id
    assert last_attempt(folder, failed).count("Traceback") == 1
    ended = folder.state(failed)
    assert ended is not None
    folder.queue_again(failed, ended)
    StepQueue(folder, plan.steps, Toy(tmp_path)).run()  # works when it is made again
    assert "begins, attempt 2: raises on emoji" in last_attempt(folder, failed).splitlines()[0]
    assert "Traceback" not in last_attempt(folder, failed)
    assert last_attempt(folder, "f" * 12) == ""


def test_the_logs_of_what_failed_go_to_standard_error(tmp_path, capsys):
    folder, plan = make_sweep(tmp_path, "raises", "works")
    StepQueue(folder, plan.steps, Toy(tmp_path)).run()
    folder.log(ORIGINAL).write_text("unseen\n")
    print_failures(folder, sweep_status(folder, plan.steps).trouble)
    out, err = capsys.readouterr()
    assert out == "" and "unseen" not in err
    assert f"{plan.steps[1].step_id} failed: raises on emoji, seed 1\n" in err
    assert 'raise ValueError("over\\nand over")' in err and "Traceback" in err
