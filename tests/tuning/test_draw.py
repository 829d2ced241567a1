from __future__ import annotations

import pytest
from tuning_toys import Climb, Made, Slope, search, slope_spec

from mmulbench.core.search_space import search_space
from mmulbench.records.study import StudySpec, Trial, TrialState
from mmulbench.tuning.draw import draw, is_hopeless


def trial(*by_seed: float, state: TrialState = "done", lost: tuple[float, ...] = ()) -> Trial:
    mean = sum(by_seed) / len(by_seed) if state == "done" else None
    losses = list(lost or [0.0] * len(by_seed))
    return Trial(settings={}, state=state, by_seed=list(by_seed), lost=losses, objective=mean)


@pytest.fixture
def spec(emoji) -> StudySpec:
    return slope_spec(emoji)


@pytest.mark.parametrize(
    ("by_seed", "hopeless"), [([0.24], False), ([0.25], False), ([0.26], True), ([0.9, 0.15], False)]
)
def test_worse_than_the_median_is_hopeless(by_seed, hopeless, spec):
    before = [trial(value, 0.2) for value in (0.1, 0.2, 0.3, 0.4)]
    assert is_hopeless(trial(*by_seed, state="pruned"), before, spec) == hopeless


@pytest.mark.parametrize(
    ("lost", "others", "hopeless"),
    [(0.14, 0.0, True), (0.03, 0.0, False), (0.05, 0.0, False), (0.14, 0.05, False), (0.16, 0.05, True)],
)
def test_what_is_lost_past_the_tolerance_is_added_to_the_distance(lost, others, hopeless, spec):
    before = [trial(value, 0.2, lost=(others, 0.0)) for value in (0.3, 0.3, 0.3, 0.3)]
    one = trial(0.2, state="pruned", lost=(lost,))
    assert is_hopeless(one, before, spec) == hopeless
    any_loss = spec.model_copy(update={"utility_tolerance": None})
    assert not is_hopeless(one, before, any_loss)


def test_few_or_stopped_trials_say_nothing(spec):
    before = [trial(0.1, 0.1)] * 3
    stopped = [trial(0.1, state="pruned"), Trial(settings={}, state="diverged", by_seed=[])]
    assert not is_hopeless(trial(0.9, state="pruned"), [*before, *stopped], spec)
    assert is_hopeless(trial(0.9, state="pruned"), [*before, *stopped, before[0]], spec)


@pytest.mark.parametrize("most", [1, 3, 10])
def test_no_more_epochs_are_drawn_than_the_budget_allows(most, emoji):
    space = search_space(Climb.Config)
    spec = slope_spec(emoji, Climb())
    first = search(spec, emoji, [Made(lambda c: c.x, lambda c: c.epochs, most)] * 2, 1, method=Climb())
    assert first.most_epochs == most
    drawn: list[int] = []
    study = first
    for _ in range(12):
        settings = draw(study, space)
        assert isinstance(settings["epochs"], int)
        drawn.append(settings["epochs"])
        one = trial(0.1, 0.1).model_copy(update={"settings": settings})
        study = study.model_copy(update={"trials": [*study.trials, one]})
    assert all(1 <= epochs <= most for epochs in drawn)
    assert max(drawn) > most // 2


def test_the_draw_depends_on_the_trials_before_it_alone(emoji):
    space = search_space(Slope.Config)
    study = search(slope_spec(emoji), emoji, [Made(lambda c: c.x)] * 2, 6)
    assert draw(study, space) == draw(study, space)
    other = study.model_copy(update={"trials": study.trials[:-1]})
    assert draw(other, space) == study.trials[-1].settings


def test_the_draw_knows_what_was_lost(emoji):
    space = search_space(Slope.Config)
    study = search(slope_spec(emoji), emoji, [Made(lambda c: c.x)] * 2, 8)

    def losing(some):
        lost = [{"lost": [0.5 if some(trial) else 0.0] * len(trial.by_seed)} for trial in study.trials]
        trials = [one.model_copy(update=new) for one, new in zip(study.trials, lost, strict=True)]
        return study.model_copy(update={"trials": trials})

    best = study.best
    assert draw(losing(lambda trial: trial is best), space) != draw(losing(lambda trial: False), space)
