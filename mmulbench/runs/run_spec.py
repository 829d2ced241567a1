"""Write down everything that decides a run's numbers."""

from __future__ import annotations

from dataclasses import asdict

from mmulbench.core.method import Method
from mmulbench.core.plugins import plugins_of_run
from mmulbench.records.schema import ForgetList, RunSpec
from mmulbench.runs.prepare import PreparedTask


def make_spec(
    prepared: PreparedTask,
    method_name: str,
    method: Method,
    forget_size: int,
    seed: int,
    forget: ForgetList | None = None,
) -> RunSpec:
    """Return the specification of a run.

    Args:
        prepared: task and backbone.
        method_name: registered name of the method.
        method: the configured method.
        forget_size: number of forget units.
        seed: training seed.
        forget: description of the list that names them; None where the task draws them.
    """
    plugins = plugins_of_run(method_name, prepared.task_name, prepared.backbone.name)
    return RunSpec(
        task=prepared.task_name,
        task_config=asdict(prepared.task.config),
        backbone=prepared.given.name_of(prepared.backbone),
        method=method_name,
        config=asdict(method.config),
        recipe=asdict(prepared.recipe),
        forget_size=forget_size,
        forget=forget,
        given=prepared.given.labels,
        seed=seed,
        data_fingerprint=prepared.data.fingerprint,
        plugins={name: plugin.digest for name, plugin in plugins.items()},
    )
