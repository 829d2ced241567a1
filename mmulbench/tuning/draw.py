"""Draw the settings of a study's next trial, given those of the trials before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import optuna

from mmulbench.core.search_space import SearchDimension
from mmulbench.records.schema import Scalar
from mmulbench.records.study import EPOCHS, Study, StudySpec, Trial
from mmulbench.seeds import generator

WORST = 2.0
"""Value of what diverged or failed: no distance and no loss is above 1."""

RANDOM_TRIALS = 4
"""Number of trials that are drawn at random; then the sampler chooses, and pruning begins."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


def draw(study: Study, space: Mapping[str, SearchDimension]) -> dict[str, Scalar]:
    """Choose the settings to try next, with no more epochs than the study's budget allows.

    Args:
        study: the study so far; it has a trial at least.
        space: the searched settings.
    """
    distributions = {name: _distribution(name, one, study.most_epochs) for name, one in space.items()}
    seed = int(generator(0, f"trial {len(study.trials)} of {study.spec.study_id}").integers(2**31))
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS)
    search = optuna.create_study(sampler=sampler)
    search.add_trials([_as_optuna(trial, study.spec, distributions) for trial in study.trials])
    asked = search.ask(distributions)
    return {name: _rounded(asked.params[name], one) for name, one in space.items()}


def is_hopeless(trial: Trial, before: Sequence[Trial], spec: StudySpec) -> bool:
    """Return whether a trial is worse on its last seed than the median of the trials before it.

    Args:
        trial: the trial so far, judged on one seed at least.
        before: the trials before it; fewer than `RANDOM_TRIALS` that are done say nothing.
        spec: specification of the study.
    """
    place = len(trial.by_seed) - 1
    others = [_by_seed(one, spec)[place] for one in before if one.state == "done"]
    return len(others) >= RANDOM_TRIALS and bool(_by_seed(trial, spec)[place] > np.median(others))


def _by_seed(trial: Trial, spec: StudySpec) -> list[float]:
    """Return what a search makes small, for each seed by itself."""
    lost: Sequence[Sequence[float]] = [[one] for one in trial.lost] or [[]] * len(trial.by_seed)
    return [spec.penalised([distance], one) for distance, one in zip(trial.by_seed, lost, strict=True)]


def _rounded(value: float, dimension: SearchDimension) -> float:
    """Round a value to three digits, as people write it, within its range."""
    if dimension.whole:
        return value
    return min(max(float(f"{value:.3g}"), dimension.search.low), dimension.search.high)


def _distribution(
    name: str, dimension: SearchDimension, most_epochs: int | None
) -> optuna.distributions.BaseDistribution:
    low, high, log = dimension.search.low, dimension.search.high, dimension.search.log
    if name == EPOCHS and most_epochs is not None:
        high = most_epochs
    if dimension.whole:
        return optuna.distributions.IntDistribution(int(low), int(high), log=log)
    return optuna.distributions.FloatDistribution(low, high, log=log)


def _as_optuna(
    trial: Trial, spec: StudySpec, distributions: dict[str, optuna.distributions.BaseDistribution]
) -> optuna.trial.FrozenTrial:
    """Convert a trial for Optuna's sampler; what diverged or failed is as bad as can be."""
    complete, pruned = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    worst = None if trial.state == "pruned" else WORST
    return optuna.trial.create_trial(
        state=pruned if trial.state == "pruned" else complete,
        params=dict(trial.settings),
        distributions=distributions,
        value=worst if trial.objective is None else spec.penalised(trial.by_seed, trial.lost),
        intermediate_values=dict(enumerate(_by_seed(trial, spec))),
    )
