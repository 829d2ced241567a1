"""One run: prepare, unlearn, evaluate, record."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from mmulbench import processes
from mmulbench.code_digest import source_digest
from mmulbench.core.checkpoints import StoredCheckpoints
from mmulbench.core.data import Integers
from mmulbench.core.method import Method
from mmulbench.core.model import MultimodalModel
from mmulbench.core.plugins import plugins_of_run
from mmulbench.errors import Diverged, MmulbenchError, NotApplicable
from mmulbench.evaluation.values import compute_values, score_histograms
from mmulbench.progress import SHADOWS
from mmulbench.records.environment import describe_environment
from mmulbench.records.schema import Cost, RunResult, RunSpec, Status, Tuning
from mmulbench.runs.prepare import Prepared, Workspace
from mmulbench.runs.references import evaluation_sets, load_measurements, load_original, load_retrain
from mmulbench.runs.shadow_models import Shadows, judged_by_shadows
from mmulbench.runs.unlearn import make_problem, unlearn

Overwrite = Literal["never", "failed", "always"]


@dataclass(frozen=True)
class Run:
    """One run to make.

    Attributes:
        spec: what decides its numbers.
        method: the configured method.
        command: the command line that reproduces it.
        reference: whether retrain is built and compared with.
        tuning: where its settings come from.
        shadows: how many shadow models it is judged by besides.
    """

    spec: RunSpec
    method: Method
    command: str
    reference: bool = True
    tuning: Tuning | None = None
    shadows: int = 0


def make_spec(prepared: Prepared, method_name: str, method: Method, forget_size: int, seed: int) -> RunSpec:
    """The specification of a run."""
    plugins = plugins_of_run(method_name, prepared.task_name, prepared.backbone.name)
    return RunSpec(
        task=prepared.task_name,
        task_config=asdict(prepared.task.config),
        backbone=prepared.backbone.full_name,
        method=method_name,
        config=asdict(method.config),
        recipe=asdict(prepared.recipe),
        forget_size=forget_size,
        seed=seed,
        data_fingerprint=prepared.data.fingerprint,
        plugins={name: plugin.digest for name, plugin in plugins.items()},
    )


def is_settled(found: RunResult, run: Run, overwrite: Overwrite) -> bool:
    """Whether a record that is already there makes the run unnecessary."""
    if overwrite == "always":
        return False
    if overwrite == "never":
        return True
    complete = not run.reference or all(value.retrain is not None for value in found.values.values())
    if found.status == "done" and found.shadows < run.shadows:
        return False
    return found.status in ("done", "not_applicable") and complete


def execute(
    run: Run, prepared: Prepared, workspace: Workspace, overwrite: Overwrite
) -> tuple[RunResult, bool]:
    """Make a run and record it, or find its record.

    A failing or diverging run is recorded with its reason. Of several processes with the same specification
    one runs and the others find its record.

    Returns:
        The record, and whether it is new.

    Raises:
        MmulbenchError: when a folder cannot be written or a package is missing.
    """
    with workspace.cache.lock(f"run-{run.spec.run_id}", "making the same run"):
        found = processes.first_does(lambda: _settled(run, workspace, overwrite))
        if found is not None:
            return found, False
        started = datetime.now(UTC)
        outcome = _attempt(run, prepared, workspace)
        result = RunResult(
            run_id=run.spec.run_id,
            spec=run.spec,
            command=run.command,
            tuning=run.tuning,
            environment=describe_environment(workspace.device),
            started=started,
            finished=datetime.now(UTC),
            **outcome,
        )
        processes.first_does(lambda: workspace.store.write(result))
        _checkpoints(run, workspace).clear()
        if run.shadows:
            shadows_of(run, prepared, workspace).discard(run.shadows, run.method, run.spec.run_id)
        return result, True


def _settled(run: Run, workspace: Workspace, overwrite: Overwrite) -> RunResult | None:
    """The record that makes the run unnecessary, where there is one."""
    found = workspace.store.find(run.spec)
    if found is None or not is_settled(found, run, overwrite):
        return None
    if run.tuning is not None and run.tuning != found.tuning:  # a study came to the same settings
        found = found.model_copy(update={"tuning": run.tuning})
        workspace.store.write(found)
    return found


def _checkpoints(run: Run, workspace: Workspace) -> StoredCheckpoints:
    """Those of a run's own trainings; the original and retrain have theirs."""
    code = source_digest(type(run.method))
    return workspace.checkpoints({"kind": "run", "run": run.spec.run_id, "code": code})


def _attempt(run: Run, prepared: Prepared, workspace: Workspace) -> dict[str, Any]:
    """The parts of the record that the run itself decides."""
    reason = run.method.applies_to(prepared.task)
    if reason is not None:
        return {"status": "not_applicable", "reason": reason}
    try:
        return {"status": "done", **_run(run, prepared, workspace)}
    except Diverged as error:
        return _ended("diverged", str(error))
    except NotApplicable as error:
        return _ended("not_applicable", str(error))
    except MmulbenchError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())
        reason = f"{type(error).__name__}: {text} ({place.filename}:{place.lineno})"
        processes.demand_all_failed(reason)
        return _ended("failed", reason)


def _ended(status: Status, reason: str) -> dict[str, Any]:
    return {"status": status, "reason": reason}


def _run(run: Run, prepared: Prepared, workspace: Workspace) -> dict[str, Any]:
    spec = run.spec
    forget = _forget_set(run, prepared)
    with _stage(workspace, "original"):
        original, _ = load_original(prepared, spec.seed, workspace)
    retrain: tuple[MultimodalModel, Cost] | None = None
    if run.reference or run.method.is_reference:
        with _stage(workspace, "retrain"):
            problem = make_problem(original, forget, prepared, spec.seed, workspace)
            retrain = load_retrain(prepared, problem, forget, spec.seed, workspace)
    with _stage(workspace, "unlearn"):
        if run.method.is_reference and retrain is not None:
            model, cost = retrain
        else:
            problem = make_problem(original, forget, prepared, spec.seed, workspace)
            problem = replace(problem, checkpoints=_checkpoints(run, workspace))
            model, cost = unlearn(run.method, problem)
    with _stage(workspace, "evaluate"):
        found = _evaluate(run, forget, (model, cost), original, retrain, prepared, workspace)
    if run.shadows and retrain is not None:
        with _stage(workspace, SHADOWS):
            shadows = shadows_of(run, prepared, workspace)
            values, missing = judged_by_shadows(
                shadows, run.shadows, (model, original, retrain[0]), run.method, spec.run_id
            )
        found["values"] |= values
        found["missing"] += missing
        found["shadows"] = run.shadows
    return found


def _forget_set(run: Run, prepared: Prepared) -> Integers:
    return prepared.task.forget_units(prepared.data, run.spec.forget_size, run.spec.seed)


def shadows_of(run: Run, prepared: Prepared, workspace: Workspace) -> Shadows:
    """The shadow models that a run may be judged by."""
    return Shadows(prepared, _forget_set(run, prepared), run.spec.seed, workspace)


@contextlib.contextmanager
def _stage(workspace: Workspace, name: str) -> Iterator[None]:
    """Show a stage, and name it when the run diverges in it."""
    workspace.progress.stage(name)
    try:
        yield
    except Diverged as error:
        raise Diverged(f"{name}: {error}") from error


def _evaluate(
    run: Run,
    forget: Integers,
    unlearned: tuple[MultimodalModel, Cost],
    original: MultimodalModel,
    retrain: tuple[MultimodalModel, Cost] | None,
    prepared: Prepared,
    workspace: Workspace,
) -> dict[str, Any]:
    train, seed = prepared.data.train, run.spec.seed
    sets = evaluation_sets(prepared, train.without(forget), train.only(forget))
    own, before = (
        load_measurements(model, sets, prepared, seed, workspace) for model in (unlearned[0], original)
    )
    reference = None
    if retrain is not None and run.reference:
        reference = load_measurements(retrain[0], sets, prepared, seed, workspace)
    units = {name: split.first for name, split in sets.splits.items()}
    values, missing = compute_values(own, before, reference, units, seed)
    cost = unlearned[1]
    if retrain is not None and run.reference:
        cost = _with_ratios(cost, retrain[1])
    return {
        "values": values,
        "missing": missing,
        "cost": cost,
        "histograms": score_histograms(own, before),
    }


def _with_ratios(cost: Cost, retrain: Cost) -> Cost:
    flops = cost.flops / retrain.flops if cost.flops is not None and retrain.flops else None
    return cost.model_copy(
        update={"seconds_ratio": cost.seconds / max(retrain.seconds, 1e-9), "flops_ratio": flops}
    )
