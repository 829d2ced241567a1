"""Tuning: every method gets the same budget for a trial, the same judges, and a check of what it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Protocol

from mmulbench.core.method import Method
from mmulbench.core.plugins import plugins_of_study
from mmulbench.core.run_code import code_of_run
from mmulbench.core.search_space import SearchDimension, search_space
from mmulbench.errors import Diverged, MmulbenchError, OverBudget, UsageError
from mmulbench.evaluation.distance import Distance
from mmulbench.failure import located
from mmulbench.records.environment import describe_environment
from mmulbench.records.published import PUBLISHED_SEEDS, UTILITY_TOLERANCE
from mmulbench.records.schema import Scalar
from mmulbench.records.study import EPOCHS, Check, Study, StudySpec, Trial, TrialState
from mmulbench.runs.prepare import PreparedTask, Workspace
from mmulbench.setting_values import validated
from mmulbench.tuning.draw import draw, is_hopeless
from mmulbench.tuning.epochs import Meter, allowed_epochs, is_within, most_epochs

Space = Mapping[str, SearchDimension]


class Judging(Meter, Protocol):
    """Judges what a method does on one forget set, as `mmulbench.tuning.judge.Judge` does."""

    @property
    def do_nothing(self) -> float:
        """Distance of the untouched original to retrain."""

    def distance(self, method: Method) -> Distance:
        """Return how far from retrain a method's model ends.

        Raises:
            Diverged: The method diverges.
            OverBudget: The method spends more than the limit.
        """


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
        check_seed=check_seed(seeds),
        budget=budget,
        utility_tolerance=UTILITY_TOLERANCE,
        data_fingerprint=prepared.data.fingerprint,
        plugins={found: plugin.digest for found, plugin in plugins.items()},
    )


def check_seed(seeds: Sequence[int]) -> int:
    """Return the seed that a search with these seeds does not see: the lowest, from 1, that is free."""
    taken = {*seeds, *PUBLISHED_SEEDS}
    return next(seed for seed in range(1, len(taken) + 2) if seed not in taken)


def tune(
    spec: StudySpec,
    method: Method,
    known: Study | None,
    count: int,
    judges: Sequence[Judging],
    workspace: Workspace,
) -> Iterator[Study]:
    """Try configurations until there are ``count``, and yield the study after every trial.

    The first is the method's own. A trial depends on those before it alone, so that a study that was
    interrupted goes on as if it had not been. Where no settings are within the budget, nothing is tried.

    Args:
        spec: specification of the study.
        method: the method as the first trial tries it.
        known: the same study from earlier, None where there is none.
        count: number of trials in the end, the known ones included.
        judges: one for each seed.
        workspace: says where methods run, and shows progress.

    Raises:
        MmulbenchError: A folder cannot be written, or a package is missing.
    """
    space = search_space(type(method.config))
    study = known if known is not None else _begun(spec, method, space, judges, workspace)
    if study.over_budget is not None:
        yield study
        return
    tick = workspace.progress.counter(count - len(study.trials), f"tune {spec.method}")
    while len(study.trials) < count:
        if study.trials:
            trial = _try(method, draw(study, space), study, space, judges)
        else:
            trial = _first(method, study, space, judges)
        study = study.model_copy(update={"trials": [*study.trials, trial], "check": None})
        yield study
        tick()


def checked(study: Study, method: Method, judge: Judging) -> Study:
    """Return a study with its default and its best judged once more, where the search did not look.

    Args:
        study: a study with all its trials, one of which is done.
        method: the method as the first trial tried it.
        judge: judge of the study's check seed.

    Raises:
        MmulbenchError: A folder cannot be written, or a package is missing.
    """
    first, best = study.trials[0], study.best or study.trials[0]
    space = search_space(type(method.config))
    unseen = study.model_copy(update={"trials": []})
    again = [
        _try(method, trial.settings, unseen, space, [judge])
        for trial in ([first] if best == first else [first, best])
    ]
    default, found = again[0], again[-1]
    check = Check(
        default=default.objective,
        best=found.objective,
        default_lost=default.lost[0] if default.lost else None,
        best_lost=found.lost[0] if found.lost else None,
        do_nothing=judge.do_nothing,
    )
    return study.model_copy(update={"check": check})


def _begun(
    spec: StudySpec, method: Method, space: Space, judges: Sequence[Judging], workspace: Workspace
) -> Study:
    """Return a study without trials, which knows what doing nothing is worth and what the budget allows."""
    meter, most, reason = judges[0], None, None
    if EPOCHS in space:
        most = allowed_epochs(method, space, meter) or None
        unit = "a single epoch" if most is None else None
    else:
        unit = None if is_within(method, space, meter) else "a run"
    if unit is not None:
        reason = f"N/A within the budget: {unit} spends more than {spec.budget:g} of what retraining does"
    return Study(
        spec=spec,
        do_nothing=[judge.do_nothing for judge in judges],
        most_epochs=most,
        over_budget=reason,
        code=code_of_run(type(method).__module__, spec.task, spec.backbone),
        environment=describe_environment(workspace.device),
    )


def _first(method: Method, study: Study, space: Space, judges: Sequence[Judging]) -> Trial:
    """Try the method's own settings, with as many of their epochs as the budget allows."""
    own = {name: study.spec.defaults[name] for name in space}
    asked, most = own.get(EPOCHS), study.most_epochs
    if not isinstance(asked, int) or most is None or asked <= most:
        return _try(method, own, study, space, judges)
    trial = _try(method, {**own, EPOCHS: most}, study, space, judges)
    return trial.model_copy(update={"epochs_asked": asked})


def _try(
    method: Method,
    settings: Mapping[str, Scalar],
    study: Study,
    space: Space,
    judges: Sequence[Judging],
) -> Trial:
    """Run one configuration on every seed; over the budget, once more with as many epochs as it allows.

    Raises:
        MmulbenchError: A folder cannot be written, or a package is missing.
    """
    trial = _judged(method, settings, study, judges)
    asked = settings.get(EPOCHS)
    while trial.state == "over_budget" and (fewer := _fewer_epochs(method, trial, space, judges)):
        trial = _judged(method, {**settings, EPOCHS: fewer}, study, judges)
        trial = trial.model_copy(update={"epochs_asked": asked})
    return trial


def _fewer_epochs(method: Method, trial: Trial, space: Space, judges: Sequence[Judging]) -> int:
    """Return how many epochs to try in place of a trial's, which are too many; 0 for none."""
    tried = trial.settings.get(EPOCHS)
    if EPOCHS not in space or not isinstance(tried, int) or tried <= space[EPOCHS].search.low:
        return 0
    if trial.epochs_asked is not None:  # the costs of two epochs had promised these
        return tried - 1
    found = most_epochs(_configured(method, trial.settings), space, judges[len(trial.by_seed)])
    return min(found, tried - 1)


def _configured(method: Method, settings: Mapping[str, Scalar]) -> Method:
    return type(method)(validated(method.config, settings, type(method).__name__))


def _judged(method: Method, settings: Mapping[str, Scalar], study: Study, judges: Sequence[Judging]) -> Trial:
    """Run one configuration on every seed, unless the study's trials before it did better.

    Raises:
        MmulbenchError: A folder cannot be written, or a package is missing.
    """
    found: list[Distance] = []
    tried = _configured(method, settings)

    def ended(state: TrialState, reason: str | None = None) -> Trial:
        lost = [] if study.spec.utility_tolerance is None else [one.lost for one in found]
        by_seed = [one.gap for one in found]
        return Trial(settings=dict(settings), state=state, by_seed=by_seed, lost=lost, reason=reason)

    try:
        for judge in judges:
            found.append(judge.distance(tried))
            if len(found) < len(judges) and is_hopeless(ended("pruned"), study.trials, study.spec):
                return ended("pruned", "worse than the median of the trials before")
    except Diverged as error:
        return ended("diverged", str(error))
    except OverBudget as error:
        return ended("over_budget", str(error))
    except MmulbenchError:
        raise
    except Exception as error:
        return ended("failed", located(error))
    mean = sum(one.gap for one in found) / len(found)
    return ended("done").model_copy(update={"objective": mean})
