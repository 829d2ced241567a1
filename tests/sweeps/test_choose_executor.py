"""Which executor is chosen, from options, the sweep file's table, and what was submitted before."""

from __future__ import annotations

import pytest
from sweep_toys import make_sweep

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.sweeps.choose_executor import ExecutorOptions, choose_executor, executor_for_retry
from mmulbench.sweeps.debug import DebugExecutor
from mmulbench.sweeps.local import LocalExecutor
from mmulbench.sweeps.slurm import SlurmExecutor
from mmulbench.sweeps.slurm_jobs import SlurmJobs, write_jobs

TABLE = {"name": "slurm", "pack": "4", "timeout": "600", "partition": "gpu", "time": "2:00:00"}


def chosen(table=None, /, **options):
    return choose_executor(ExecutorOptions(**options), table or {})


def test_local_workers_are_chosen_unless_another_is_named():
    assert chosen() == LocalExecutor(workers=1)
    assert chosen(workers=3, timeout=5.0, detach=True) == LocalExecutor(workers=3, timeout=5, detach=True)
    assert chosen({"workers": "2", "timeout": "1.5"}) == LocalExecutor(workers=2, timeout=1.5)
    assert chosen({"workers": "2"}, workers=4) == LocalExecutor(workers=4)


def test_options_take_the_place_of_the_tables_values():
    gpu = {"partition": "gpu", "time": "120"}
    assert chosen(TABLE) == SlurmExecutor(sbatch=gpu, pack="4", timeout=600)
    wanted = SlurmExecutor(sbatch={"partition": "gpu", "time": "5", "qos": "low"}, pack="2", timeout=600)
    assert chosen(TABLE, name="slurm", pack="2", slurm=("time=5", "qos=low")) == wanted


def test_a_table_for_another_executor_does_not_count():
    assert chosen(TABLE, name="local", workers=3) == LocalExecutor(workers=3)
    assert chosen(TABLE, name="debug") == DebugExecutor()
    assert chosen({"workers": "2"}, name="slurm") == SlurmExecutor()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slurm": ("partition=gpu",)}, "--slurm needs --executor slurm, not local"),
        ({"pack": "2"}, "--pack needs --executor slurm, not local"),
        ({"name": "debug", "pack": "2"}, "--pack needs --executor slurm, not debug"),
        ({"name": "slurm", "workers": 2}, "--workers needs --executor local: Slurm starts the workers"),
        ({"name": "slurm", "detach": True}, "--detach needs --executor local: Slurm starts the workers"),
        ({"name": "debug", "timeout": 5}, "--timeout needs --executor local: debug makes all steps in this"),
        ({"name": "slurm", "pack": "10s"}, "--pack: '10s' is neither a number of runs such as 10 nor one of"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options, message):
    with pytest.raises(UsageError) as error:
        chosen(**options)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "slrum"}, "unknown executor 'slrum'; did you mean slurm"),
        ({"name": "slurm", "pack": "0"}, "executor: pack: '0' is neither a number of runs such"),
        ({"partition": "gpu"}, "executor: unknown field 'partition'"),
        (
            {"worker": "2"},
            "executor: unknown field 'worker'; did you mean workers?; others go with",
        ),
        ({"workers": "0"}, "executor: workers: input should be greater than or equal to 1, not 0"),
        ({"workers": "some"}, "executor: workers: input should be a valid integer, "),
        ({"timeout": "soon"}, "executor: timeout: input should be a valid number, "),
        ({"timeout": "inf"}, "executor: timeout: input should be a finite number, not inf"),
        ({"name": "slurm", "time": "soon"}, "--slurm time=soon: give minutes, "),
        (
            {"name": "slurm", "partiton": "gpu"},
            "--slurm partiton=gpu: sbatch has no option partiton; did you",
        ),
        ({"setup": "module load cuda"}, "executor: unknown field 'setup'"),
        ({"name": "slurm", "workers": "2"}, "--workers needs --executor local: "),
    ],
)
def test_tables_that_are_wrong_are_refused(table, message):
    with pytest.raises(UsageError) as error:
        chosen(table)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_retry_goes_to_slurm_again_where_the_sweep_was_submitted(tmp_path):
    folder, _ = make_sweep(tmp_path, "works")
    assert executor_for_retry(ExecutorOptions(), folder) == LocalExecutor()
    before = {"partition": "gpu", "time": "120", "parallel": "8", "setup": "module load cuda\nA=1"}
    write_jobs(folder, SlurmJobs(settings=before, pack="30m", timeout=600.0))
    again = SlurmExecutor(sbatch=before, pack="30m", timeout=600)
    assert executor_for_retry(ExecutorOptions(), folder) == again
    changed = executor_for_retry(ExecutorOptions(pack="2", slurm=("time=5",)), folder)
    assert changed == SlurmExecutor(sbatch={**before, "time": "5"}, pack="2", timeout=600)
    assert executor_for_retry(ExecutorOptions(name="debug"), folder) == DebugExecutor()
    (folder.root / "slurm.json").write_text("{")
    with pytest.raises(MmulbenchError, match="it is damaged; end the sweep's jobs with scancel"):
        executor_for_retry(ExecutorOptions(), folder)
