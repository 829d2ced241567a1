"""Measure the models of a recorded run again, for metrics that its record lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from mmulbench.core.metric import PopulationMetric, RecoveryMetric
from mmulbench.core.model import MultimodalModel
from mmulbench.core.observations import Measurements
from mmulbench.core.plugins import plugin_of
from mmulbench.core.reproduce import command_of
from mmulbench.errors import NotApplicable, UsageError
from mmulbench.evaluation.added import WithAdded, metric_of, metrics_in, with_added
from mmulbench.evaluation.values import compute_values
from mmulbench.exports.read import GivenModel
from mmulbench.progress import SHADOWS
from mmulbench.records.environment import describe_environment
from mmulbench.records.schema import Addition, RunResult, Value
from mmulbench.runs.further_metrics import Further
from mmulbench.runs.measurements import find_measurements
from mmulbench.runs.pipeline import Run, model_again
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.references import given_model, weights_digest
from mmulbench.runs.relearned import judged_by_recovery
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.shadow_models import RunModels, Shadows, judged_by_shadows


@dataclass(frozen=True)
class RecordedRun:
    """Provides the models of a run that is recorded.

    Attributes:
        record: its record.
        run: the run.
        prepared: its task with data in memory.
        saved: the unlearned model, where it was saved; None has it found by its weights, or made again.
    """

    record: RunResult
    run: Run
    prepared: PreparedTask
    saved: GivenModel | None = None

    @cached_property
    def scenario(self) -> Scenario:
        """Forget set and seed of the run, with original and retrain."""
        return self.run.scenario(self.prepared)

    @cached_property
    def unlearned(self) -> MultimodalModel:
        """The unlearned model.

        Raises:
            UsageError: What is given is another model, or it was made elsewhere and is not given.
            Diverged: It is made again, and diverges here.
        """
        record = self.record
        if self.saved is None:
            if "unlearned" in record.spec.given:
                raise UsageError(
                    f"record {record.run_id} judges a model that was made elsewhere: name its place with "
                    "--model"
                )
            return model_again(self.run, self.prepared, record)
        if record.weights is None:
            raise UsageError(
                f"record {record.run_id} is from before records had a digest of the weights, so that nothing "
                f"shows that {self.saved.source} holds its model: leave out --model, to have it made again"
            )
        model = given_model(self.saved, self.prepared).model
        if (found := weights_digest(model)) != record.weights:
            raise UsageError(
                f"{self.saved.source} holds another model than that of record {record.run_id}: its weights "
                f"have the digest {found[:12]}, not {record.weights[:12]}"
            )
        return model

    def measured(self) -> tuple[Measurements, str]:
        """Return what is measured of the unlearned model, and the SHA-256 of its weights.

        What the cache knows of these weights is taken from there: then no model is needed.
        """
        weights, sets, seed = self.record.weights, self.scenario.sets, self.scenario.seed
        if weights is not None and self.saved is None:
            found = find_measurements(weights, sets, self.prepared, seed)
            if found is not None:
                return found, weights
        return self.scenario.measure(self.unlearned, sets), weights_digest(self.unlearned)


def record_with(recorded: RecordedRun, asked: Further) -> RunResult:
    """Return the record with the values of further metrics; it is not written.

    Args:
        recorded: the run of the record.
        asked: the metrics.

    Raises:
        NotApplicable: A metric has no value of these models; the line says why.
        UsageError: What is given is not the model of the record.
        Diverged: The model is made again, and diverges here.
    """
    record, run = recorded.record, recorded.run
    computed: dict[str, Value] = {}
    missing: list[str] = []
    weights = None
    if asked.is_measured:
        computed, missing, weights = _measured(recorded, asked)
    lines = [line for line in missing if _is_about(line, asked)]
    added = with_added(record.values, computed, asked.metrics)
    _demand_values(added, asked, lines)
    _say_differing(recorded, added)
    code = {
        kind: digest for name in asked.names for kind, digest in run.code.items() if kind == f"metric {name}"
    }
    plugins = {name: plugin_of("metric", name) for name in asked.names}
    addition = Addition(
        metrics=asked.names,
        plugins={name: plugin.digest for name, plugin in plugins.items() if plugin is not None},
        shadows=asked.shadows,
        weights=weights,
        differing=added.differing,
        environment=describe_environment(recorded.prepared.workspace.device),
        finished=datetime.now(UTC),
    )
    found = record.model_copy(
        update={
            "values": added.values,
            "missing": [*record.missing, *(line for line in lines if line not in record.missing)],
            "code": {**record.code, **code},
            "shadows": asked.shadows or record.shadows,
            "added": (*record.added, addition),
        }
    )
    # What rests on shadow models the run itself would have found with them.
    return found.model_copy(update={"command": command_of(found)}) if asked.shadows else found


def _measured(recorded: RecordedRun, asked: Further) -> tuple[dict[str, Value], list[str], str]:
    """Measure the models; values that the record has are computed again, to compare them.

    Returns:
        Values by name; what is missing, one line each; and the SHA-256 of the unlearned model's weights.
    """
    scenario, run = recorded.scenario, recorded.run
    progress = recorded.prepared.workspace.progress
    progress.stage("original")
    original = scenario.original().model
    progress.stage("retrain")
    retrain = scenario.retrain().model if run.reference else None
    progress.stage("evaluate")
    own, weights = recorded.measured()
    before, reference = (
        scenario.measure(model, scenario.sets) if model is not None else None for model in (original, retrain)
    )
    assert before is not None
    units = {name: split.first for name, split in scenario.sets.splits.items()}
    only = {*asked.names, *metrics_in(recorded.record.values)}
    values, missing = compute_values(own, before, reference, units, scenario.seed, only)
    recovery = [metric for metric in asked.metrics if isinstance(metric, RecoveryMetric)]
    if recovery and retrain is not None:
        trio = {"model": recorded.unlearned, "original": original, "retrain": retrain}
        judged, left_out = judged_by_recovery(scenario, trio, recovery)
        values, missing = {**values, **judged}, [*missing, *left_out]
    if asked.shadows and retrain is not None:
        progress.stage(SHADOWS)
        models = RunModels(recorded.unlearned, original, retrain)
        shadows, run_id = Shadows(scenario), recorded.record.run_id
        judged, left_out = judged_by_shadows(shadows, asked.shadows, models, run.method, run_id)
        values, missing = {**values, **judged}, [*missing, *left_out]
        shadows.discard(asked.shadows, run.method, run_id)
    return values, missing, weights


def _is_about(line: str, asked: Further) -> bool:
    """Tell whether a line says what is missing of a metric that is asked for, or of all of its kind."""
    heads = {name.strip() for name in line.partition(":")[0].split(",")}
    if line.startswith("true-positive rates"):
        return any(isinstance(metric, PopulationMetric) for metric in asked.metrics)
    return bool(heads.intersection(asked.names))


def _demand_values(added: WithAdded, asked: Further, missing: list[str]) -> None:
    """Refuse where a metric has no value at all.

    Raises:
        NotApplicable: One has none; the line says why.
    """
    numbers = {metric_of(name) for name, value in added.values.items() if value.value is not None}
    for name in asked.names:
        if name not in numbers:
            reason = next(
                (line for line in missing if name in line.partition(":")[0]),
                f"{name}: there is nothing to measure",
            )
            raise NotApplicable(f"{reason}; nothing was added")


def _say_differing(recorded: RecordedRun, added: WithAdded) -> None:
    """Say in one line which values came out otherwise than the record has them."""
    if not added.differing:
        return
    record, first = recorded.record, added.differing[0]
    made = record.environment.cpu or record.environment.device
    recorded.prepared.workspace.progress.note(
        f"{len(added.differing)} of {len(record.values)} values, such as {first}, come out otherwise here "
        f"than in record {record.run_id}, which was made on {made}: the record's are kept, and it names them "
        "beside the new ones"
    )
