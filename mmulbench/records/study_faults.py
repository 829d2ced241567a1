"""Check that a study holds together: what its trials say agrees with its specification and with itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmulbench.plain_text import one_line

if TYPE_CHECKING:
    from mmulbench.records.study import Study, StudySpec, Trial

ROUNDING = 1e-9
"""Difference of two distances that is rounding."""


def fault_of(study: Study) -> str | None:
    """Say in one line what is wrong with a study first; None where nothing is.

    Args:
        study: the study, of a valid form.
    """
    found = next(_faults(study), None)
    return None if found is None else one_line(found)


def _faults(study: Study) -> Iterator[str]:
    spec = study.spec
    if not spec.budget > 0:
        yield f"spec.budget is {spec.budget}; it should be above 0"
    if not spec.seeds or len({*spec.seeds, spec.check_seed}) <= len(spec.seeds):
        yield f"spec.seeds are {list(spec.seeds)}; they should differ, from check_seed {spec.check_seed} too"
    if len(study.do_nothing) != len(spec.seeds):
        yield f"do_nothing has {len(study.do_nothing)} numbers; it should have one for each of spec.seeds"
    for number, distance in enumerate(study.do_nothing):
        if distance < 0:
            yield f"do_nothing.{number} is {distance}; it should be 0 or more"
    if study.trials and study.over_budget is not None:
        yield "trials are there; they should not be, since over_budget says that nothing was tried"
    for number, trial in enumerate(study.trials):
        for fault in _faults_of_trial(trial, spec):
            yield f"trials.{number}.{fault}"


def _faults_of_trial(trial: Trial, spec: StudySpec) -> Iterator[str]:
    for name, value in trial.settings.items():
        low, high, _ = spec.space.get(name, (-math.inf, math.inf, False))
        if isinstance(value, int | float) and not low <= value <= high:
            yield f"settings.{name} is {value}; it should be in the range that was searched, {low} to {high}"
    if any(distance < 0 for distance in trial.by_seed):
        yield f"by_seed has {min(trial.by_seed)}; distances should be 0 or more"
    if any(abs(lost) > 1 for lost in trial.lost):
        yield f"lost has {max(trial.lost, key=abs)}; it should be between -1 and 1"
    judged = 0 if spec.utility_tolerance is None else len(trial.by_seed)
    if len(trial.lost) != judged:
        yield f"lost has {len(trial.lost)} numbers; it should have {judged}, by spec.utility_tolerance"
    if (trial.state == "done") != (trial.objective is not None):
        wanted = "a number" if trial.state == "done" else "null"
        yield f"objective is {trial.objective}; it should be {wanted}, since the state is {trial.state}"
    if trial.objective is None:
        return
    if len(trial.by_seed) != len(spec.seeds):
        yield f"by_seed has {len(trial.by_seed)} numbers; it should have one for each of spec.seeds"
        return
    mean = sum(trial.by_seed) / len(trial.by_seed)
    if abs(trial.objective - mean) > ROUNDING:
        yield f"objective is {trial.objective}; it should be {mean}, the mean of by_seed"
