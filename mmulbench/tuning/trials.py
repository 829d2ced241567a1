"""Tuning: every method gets the same number of trials, the same budget for each, and the same judge."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import optuna

from mmulbench.core.method import Method
from mmulbench.core.metric import Measurements
from mmulbench.core.plugins import plugins_of_study
from mmulbench.core.search_space import SearchDimension, search_space
from mmulbench.errors import Diverged, MmulbenchError, OverBudget, UsageError, described
from mmulbench.evaluation.measure import measure
from mmulbench.evaluation.values import distance_to_retrain
from mmulbench.records.environment import describe_environment
from mmulbench.records.schema import Scalar
from mmulbench.records.study import Study, StudySpec, Trial, TrialState
from mmulbench.runs.prepare import PreparedTask, Workspace
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.unlearn import unlearn
from mmulbench.seeds import generator
from mmulbench.setting_values import validated
from mmulbench.tuning.holdout import forget_units, held_out

WORST = 1.0
"""Largest distance to retrain: all that is averaged lies between 0 and 1."""

RANDOM_TRIALS = 4
"""Number of trials that are drawn at random; then the sampler chooses, and pruning begins."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True)
class Judge:
    """Judges methods on one forget set that is held out for tuning, beside its retrain.

    Attributes:
        scenario: forget set and seed; the test split is not in its data.
        retrain: measurements of the retrain.
        limit: floating-point operations that a method may spend.
    """

    scenario: Scenario
    retrain: Measurements
    limit: float

    def distance(self, method: Method) -> float:
        """Return how far from retrain a method's model ends.

        Raises:
            Diverged: The method diverges.
            OverBudget: The method spends more than the limit.
        """
        scenario = self.scenario
        model = unlearn(method, scenario.problem(limit=self.limit)).model
        sets, progress = scenario.sampled_sets, scenario.prepared.workspace.progress
        found = measure(model, sets, scenario.seed, progress)
        units = {name: split.first for name, split in sets.splits.items()}
        return distance_to_retrain(found, self.retrain, units)


def make_judge(prepared: PreparedTask, size: int, seed: int, budget: float) -> Judge:
    """Train original and retrain for one tuning seed, or find them in the cache.

    Args:
        prepared: the task as it is run.
        size: number of forget units.
        seed: seed of original and forget set.
        budget: floating-point operations of a trial, as a part of retrain's.

    Raises:
        UsageError: Too few units are left outside the published forget sets.
        Diverged: Training diverges.
    """
    held = held_out(prepared, seed)
    scenario = Scenario(held, forget_units(held, size, seed), seed)
    retrain = replace(scenario).retrain()  # of another scenario, so that the model is not kept
    found = scenario.measure(retrain.model, scenario.sampled_sets)
    return Judge(scenario, found, budget * (retrain.cost.flops or math.inf))


def study_spec(
    prepared: PreparedTask, name: str, method: Method, size: int, seeds: Sequence[int], budget: float
) -> StudySpec:
    """Return the specification of a method's study on a task; its first trial is the method as configured.

    Args:
        prepared: task and backbone.
        name: registered name of the method.
        method: the configured method.
        size: number of forget units.
        seeds: seeds that each have their own forget set.
        budget: floating-point operations of a trial, as a part of retrain's.

    Raises:
        UsageError: A searched setting starts outside of its range.
    """
    default = asdict(method.config)
    space = search_space(type(method.config))
    for key, one in space.items():
        if not one.search.low <= default[key] <= one.search.high:
            raise UsageError(
                f"method {name}: {key}={default[key]} lies outside of what is searched, "
                f"{one.search.low} to {one.search.high}"
            )
    plugins = plugins_of_study(name, prepared.task_name, prepared.backbone.name)
    return StudySpec(
        task=prepared.task_name,
        task_config=asdict(prepared.task.config),
        backbone=prepared.backbone.full_name,
        recipe=asdict(prepared.recipe),
        method=name,
        defaults=default,
        space={key: (one.search.low, one.search.high, one.search.log) for key, one in space.items()},
        forget_size=size,
        seeds=tuple(seeds),
        budget=budget,
        data_fingerprint=prepared.data.fingerprint,
        plugins={found: plugin.digest for found, plugin in plugins.items()},
    )


def tune(
    spec: StudySpec,
    method: Method,
    known: Sequence[Trial],
    count: int,
    judges: Sequence[Judge],
    workspace: Workspace,
) -> Iterator[Study]:
    """Try configurations until there are ``count``, and yield the study after every trial.

    The first is the method's own. A trial depends on those before it alone, so that a study that was
    interrupted goes on as if it had not been.

    Args:
        spec: specification of the study.
        method: the method as the first trial tries it.
        known: trials of the same study from earlier.
        count: number of trials in the end, the known ones included.
        judges: one for each seed.
        workspace: says where methods run, and shows progress.
    """
    trials, environment = list(known), describe_environment(workspace.device)
    space = search_space(type(method.config))
    tick = workspace.progress.counter(count - len(trials), f"tune {spec.method}")
    while len(trials) < count:
        asked = _ask(spec, space, trials)
        settings = {name: _rounded(asked.params[name], one) for name, one in space.items()}
        tried = type(method)(validated(method.config, settings, spec.method))
        trials = [*trials, _try(tried, settings, asked, judges)]
        yield Study(spec=spec, trials=trials, environment=environment)
        tick()


def _ask(
    spec: StudySpec, space: Mapping[str, SearchDimension], trials: Sequence[Trial]
) -> optuna.trial.Trial:
    """Choose the next configuration to try, given those before it."""
    distributions = {name: _distribution(dimension) for name, dimension in space.items()}
    seed = int(generator(0, f"trial {len(trials)} of {spec.study_id}").integers(2**31))
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS),
    )
    study.add_trials([_as_optuna(trial, distributions) for trial in trials])
    if not trials:
        study.enqueue_trial({name: spec.defaults[name] for name in space})
    return study.ask(distributions)


def _rounded(value: float, dimension: SearchDimension) -> float:
    """Round a value to three digits, as people write it, within its range."""
    if dimension.whole:
        return value
    return min(max(float(f"{value:.3g}"), dimension.search.low), dimension.search.high)


def _distribution(dimension: SearchDimension) -> optuna.distributions.BaseDistribution:
    low, high, log = dimension.search.low, dimension.search.high, dimension.search.log
    if dimension.whole:
        return optuna.distributions.IntDistribution(int(low), int(high), log=log)
    return optuna.distributions.FloatDistribution(low, high, log=log)


def _as_optuna(
    trial: Trial, distributions: dict[str, optuna.distributions.BaseDistribution]
) -> optuna.trial.FrozenTrial:
    """Convert a trial for Optuna's sampler and pruner; what diverged or failed is as bad as can be."""
    complete, pruned = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    worst = None if trial.state == "pruned" else WORST
    return optuna.trial.create_trial(
        state=pruned if trial.state == "pruned" else complete,
        params=dict(trial.settings),
        distributions=distributions,
        value=worst if trial.objective is None else trial.objective,
        intermediate_values=dict(enumerate(trial.by_seed)),
    )


def _try(
    method: Method,
    settings: Mapping[str, Scalar],
    asked: optuna.trial.Trial,
    judges: Sequence[Judge],
) -> Trial:
    """Run one configuration on every seed, unless those before it did better.

    Raises:
        MmulbenchError: A folder cannot be written, or a package is missing.
    """
    by_seed: list[float] = []

    def ended(state: TrialState, reason: str) -> Trial:
        return Trial(settings=dict(settings), state=state, by_seed=by_seed, reason=reason)

    try:
        for judge in judges:
            by_seed.append(judge.distance(method))
            asked.report(by_seed[-1], len(by_seed) - 1)
            if len(by_seed) < len(judges) and asked.should_prune():
                return ended("pruned", "worse than the median of the trials before")
    except Diverged as error:
        return ended("diverged", str(error))
    except OverBudget as error:
        return ended("over_budget", str(error))
    except MmulbenchError:
        raise
    except Exception as error:
        return ended("failed", described(error))
    return Trial(
        settings=dict(settings), state="done", by_seed=by_seed, objective=sum(by_seed) / len(by_seed)
    )
