from __future__ import annotations

import math

import numpy as np
import pytest
from tuning_toys import SIZE, Climb, Made, Slope, search, slope_spec

from mmulbench.core.descent import GradientConfig
from mmulbench.core.registry import METHODS
from mmulbench.core.search_space import Search, search_space
from mmulbench.errors import Diverged, MmulbenchError, OverBudget, UsageError
from mmulbench.records.published import PUBLISHED_SEEDS
from mmulbench.tuning.trials import check_seed, checked, study_spec, tune


@pytest.fixture
def spec(emoji):
    return slope_spec(emoji)


@pytest.mark.parametrize("name", METHODS.names())
def test_what_has_settings_is_searched_around_its_defaults(name):
    method = METHODS.get(name)
    config = method.Config()
    space = search_space(type(config))
    assert bool(space) == (bool(vars(config)) and not method.is_noise_floor)
    for key, one in space.items():
        assert one.search.low <= getattr(config, key) <= one.search.high
        assert one.whole == isinstance(getattr(config, key), int)
    if isinstance(config, GradientConfig):
        assert {"epochs", "lr"} <= set(space)


@pytest.mark.parametrize("wrong", [(2, 1, False), (1, 1, False), (0, 1, True), (1, math.inf, False)])
def test_impossible_ranges(wrong):
    with pytest.raises(ValueError, match="low must be"):
        Search(*wrong)


def test_the_first_trial_is_the_methods_own_and_the_best_wins(spec, emoji):
    judges = [Made(lambda c: abs(math.log(c.x / 0.05)) / 10), Made(lambda c: abs(c.k - 5) / 10)]
    study = search(spec, emoji, judges, 12)
    assert len(study.trials) == 12
    assert study.trials[0].settings == {"x": 0.5, "k": 3}
    assert study.trials[0].by_seed == pytest.approx([math.log(10) / 10, 0.2])
    assert study.trials[0].objective == pytest.approx((math.log(10) / 10 + 0.2) / 2)
    done = [trial.objective for trial in study.trials if trial.objective is not None]
    assert study.best.objective == min(done) < study.trials[0].objective
    assert study.settings == study.best.settings
    tried = judges[0].seen
    assert len(tried) == 12 and len({config.x for config in tried}) > 6
    assert all(0.01 <= c.x <= 1 and 1 <= c.k <= 9 and c.fixed == 7 for c in tried)
    assert all(float(f"{c.x:.3g}") == c.x for c in tried)


def test_what_is_lost_past_the_tolerance_counts_as_distance(spec, emoji):
    judges = [Made(lambda c: c.x / 10, lost=lambda c: 0.08 if c.x < 0.2 else 0.0)] * 2
    study = search(spec, emoji, judges, 12)
    losing = [trial for trial in study.trials if trial.state == "done" and trial.lost == [0.08] * 2]
    assert losing and study.best.lost == [0.0] * 2
    assert study.best.by_seed[0] > min(trial.by_seed[0] for trial in losing)
    assert len(losing) < 6  # the search turns away from it

    anything = spec.model_copy(update={"utility_tolerance": None})
    free = search(anything, emoji, judges, 12)
    assert free.best.objective == min(t.objective for t in free.trials if t.objective is not None)
    assert free.best.settings["x"] < 0.2 and free.best.lost == []


def test_near_the_tolerance_the_search_goes_on(spec, emoji):
    """The known answer that a search failed to which all that lost too much was alike: it kept away."""

    def lost(config):
        return 0.031 if config.x < 0.05 else 0.0

    study = search(spec, emoji, [Made(lambda c: abs(math.log(c.x / 0.05)) / 10, lost=lost)] * 2, 20)
    tried = [trial.settings["x"] for trial in study.trials if 0.03 < trial.settings["x"] < 0.08]
    assert len(tried) >= 5 and 0.04 < study.best.settings["x"] < 0.07


def test_where_all_lose_utility_who_loses_least_is_best(spec, emoji):
    study = search(spec, emoji, [Made(lambda c: c.x / 100, lost=lambda c: 0.1 - c.x / 20)] * 2, 12)
    done = [trial for trial in study.trials if trial.state == "done"]
    assert study.best.lost[0] == min(trial.lost[0] for trial in done) > 0.03
    assert study.best.by_seed[0] > min(trial.by_seed[0] for trial in done)


def test_a_best_that_loses_utility_where_the_search_had_not_looked_makes_way(spec, emoji):
    study = search(spec, emoji, [Made(lambda c: c.x / 10)] * 2)
    good = checked(study, Slope(), Made(lambda c: c.x / 10))
    near = Made(lambda c: c.x / 10, lost=lambda c: 0.0 if c.x == 0.5 else 0.04)
    assert not checked(study, Slope(), near).kept_default  # a point too much, for far less distance
    assert not good.kept_default and (good.check.best_lost, good.check.default_lost) == (0.0, 0.0)
    losing = Made(lambda c: c.x / 10, lost=lambda c: 0.0 if c.x == 0.5 else 0.09)
    found = checked(study, Slope(), losing)
    assert found.check.best < found.check.default and found.check.best_lost == 0.09
    assert found.kept_default and found.settings == study.trials[0].settings


def test_an_interrupted_study_goes_on_as_if_it_had_not_been(spec, emoji):
    def judges():
        functions = (lambda c: min(c.x, 1.0), lambda c: c.k / 10)
        return [Made(one, lambda c: c.epochs * c.k, 9.0) for one in functions]

    spec, climb = slope_spec(emoji, Climb()), Climb()
    whole = search(spec, emoji, judges(), 9, method=climb)
    part = search(spec, emoji, judges(), 5, method=climb)
    assert part.trials == whole.trials[:5]
    assert any(trial.epochs_asked for trial in whole.trials)
    rest = judges()
    assert search(spec, emoji, rest, 9, method=climb, known=part).trials == whole.trials
    assert len(rest[0].seen) >= 4 and not list(tune(spec, climb, part, 3, [], emoji.workspace))


def test_hopeless_trials_are_pruned_and_never_win(spec, emoji):
    second = Made(lambda c: 0.0)
    study = search(spec, emoji, [Made(lambda c: c.x), second], 12)
    pruned = [trial for trial in study.trials if trial.state == "pruned"]
    assert pruned and len(second.seen) == 12 - len(pruned)
    for trial in pruned:
        assert len(trial.by_seed) == 1 and trial.objective is None
        place = study.trials.index(trial)
        before = [one.by_seed[0] for one in study.trials[:place] if one.state == "done"]
        assert len(before) >= 4 and trial.by_seed[0] > np.median(before)


@pytest.mark.parametrize(
    ("error", "state"),
    [(Diverged("nan"), "diverged"), (OverBudget("too much"), "over_budget"), (KeyError("x"), "failed")],
)
def test_what_goes_wrong_costs_one_trial_and_never_wins(error, state, spec, emoji):
    def distance(config):
        if config.x > 0.2:
            raise error
        return config.x

    study = search(spec, emoji, [Made(distance)], 10)
    assert {trial.state for trial in study.trials} == {state, "done"}
    assert study.trials[0].state == state and study.trials[0].reason
    assert study.best.settings["x"] <= 0.2

    def always(config):
        raise error

    hopeless = search(spec, emoji, [Made(always)], 3)
    assert hopeless.best is None and hopeless.settings == {}


def test_a_full_disk_or_missing_package_is_no_trial(spec, emoji):
    def distance(config):
        raise MmulbenchError("cannot write")

    with pytest.raises(MmulbenchError, match="cannot write"):
        search(spec, emoji, [Made(distance)], 3)


def test_a_default_outside_of_what_is_searched_is_refused(emoji):
    with pytest.raises(UsageError, match=r"slope: x=2.0 lies outside of what is searched, 0.01 to 1.0"):
        study_spec(emoji, "slope", Slope(Slope.Config(x=2.0)), SIZE, (1,), 0.5)


def test_what_checks_is_neither_published_nor_searched(spec):
    assert spec.check_seed == 3
    assert (check_seed((3, 1)), check_seed((2,))) == (2, 1)
    taken = tuple(range(1, 14))
    assert 13 in PUBLISHED_SEEDS and check_seed(taken[:-1]) == 14


class TestBudget:
    """An epoch of `Climb` costs ``k``, so that at its own settings an epoch costs 2."""

    def judges(self, limit: float, second: float | None = None) -> list[Made]:
        limits = (limit, limit if second is None else second)
        return [Made(lambda c: c.x / 10, lambda c: float(c.epochs * c.k), one) for one in limits]

    def search(self, emoji, judges, count=14):
        return search(slope_spec(emoji, Climb()), emoji, judges, count, method=Climb())

    def test_own_epochs_are_capped_and_the_trial_says_so(self, emoji):
        study = self.search(emoji, self.judges(6), 1)
        assert study.most_epochs == 3
        (own,) = study.trials
        assert (own.state, own.settings["epochs"], own.epochs_asked) == ("done", 3, 5)
        assert own.settings["k"] == 2

    def test_no_trial_is_thrown_away(self, emoji):
        judges = self.judges(6)
        study = self.search(emoji, judges)
        assert {trial.state for trial in study.trials} <= {"done", "pruned"}
        again = [trial for trial in study.trials[1:] if trial.epochs_asked is not None]
        assert again
        for trial in study.trials:
            epochs, k = trial.settings["epochs"], trial.settings["k"]
            assert epochs * k <= 6
        for trial in again:  # as many as the budget allows at this cost of an epoch
            assert trial.settings["epochs"] == 6 // trial.settings["k"] < trial.epochs_asked <= 3
        assert len(judges[0].seen) == 14 + len(again)

    def test_a_tighter_second_seed_decides_for_both(self, emoji):
        study = self.search(emoji, self.judges(10, 9.5), 1)
        (own,) = study.trials
        assert (own.state, own.settings["epochs"], own.epochs_asked) == ("done", 4, 5)
        assert len(own.by_seed) == 2

    def test_epochs_that_cost_more_later_are_taken_back_one_by_one(self, emoji):
        judges = [Made(lambda c: 0.1, lambda c: c.epochs**1.5, 9.0)]
        study = self.search(emoji, judges, 1)
        assert study.most_epochs == 5  # by the first two, which cost 1 and 1.83
        (own,) = study.trials
        assert own.state == "done" and own.settings["epochs"] == 4 and own.epochs_asked == 5

    @pytest.mark.parametrize(
        ("method", "what"), [(Climb(), "a single epoch"), (Slope(), "a run")], ids=["epochs", "none"]
    )
    def test_one_statement_where_nothing_is_within(self, method, what, emoji):
        judges = [Made(lambda c: 0.1, lambda c: 1.0 + c.k, 1.9) for _ in range(2)]
        study = search(slope_spec(emoji, method), emoji, judges, 10, method=method)
        assert study.trials == [] and not judges[0].seen
        assert (
            study.over_budget == f"N/A within the budget: {what} spends more than 0.5 of what retraining does"
        )
        tuning = study.tuning
        assert (tuning.found, tuning.trials, tuning.done, tuning.kept_default) == (False, 0, 0, False)
        assert tuning.reason == study.over_budget and study.settings == {}
        assert tuning.do_nothing == 0.5 and tuning.objective is None
        again = search(slope_spec(emoji, method), emoji, [], 10, method=method, known=study)
        assert again == study

    def test_cheaper_settings_are_searched_where_the_own_cost_too_much(self, emoji):
        study = self.search(emoji, self.judges(1.5))
        assert study.trials[0].state == "over_budget" and study.over_budget is None
        assert study.best is not None and study.best.settings["k"] == 1


class TestCheck:
    """The best of a search is judged once more, beside the default, where the search had not looked."""

    def test_to_do_nothing_is_judged_on_every_seed(self, spec, emoji):
        judges = [Made(lambda c: c.x, nothing=0.2), Made(lambda c: c.x, nothing=0.3)]
        study = search(spec, emoji, judges, 2)
        assert study.do_nothing == [0.2, 0.3]
        assert study.tuning.do_nothing == 0.25

    def test_the_winners_curse_is_caught(self, spec, emoji):
        """The default is truly best; with many tries another looks better by luck on the search's seeds."""

        def lucky(config):
            return 0.3 if config.x == 0.5 else 0.32 + 0.2 * math.sin(1e4 * config.x + config.k)

        study = search(spec, emoji, [Made(lucky), Made(lucky)], 16)
        assert study.best.objective < 0.25 < study.trials[0].objective
        true = Made(lambda c: 0.3 if c.x == 0.5 else 0.32, nothing=0.4)
        after = checked(study, Slope(), true)
        assert (after.check.default, after.check.best, after.check.do_nothing) == (0.3, 0.32, 0.4)
        assert after.kept_default and after.settings == study.trials[0].settings
        assert after.tuning.kept_default and after.tuning.objective == study.trials[0].objective

    def test_what_is_truly_better_is_taken(self, spec, emoji):
        study = search(spec, emoji, [Made(lambda c: c.x)] * 2, 8)
        judge = Made(lambda c: c.x)
        after = checked(study, Slope(), judge)
        assert [config.x for config in judge.seen] == [0.5, study.best.settings["x"]]
        assert not after.kept_default and after.settings == study.best.settings != {}
        assert after.tuning.objective == study.best.objective

    def test_a_default_that_stays_best_is_judged_once(self, spec, emoji):
        study = search(spec, emoji, [Made(lambda c: abs(c.x - 0.5))] * 2, 6)
        judge = Made(lambda c: 0.1)
        after = checked(study, Slope(), judge)
        assert len(judge.seen) == 1 and after.check.default == after.check.best == 0.1
        assert not after.kept_default and after.settings == {"x": 0.5, "k": 3}

    @pytest.mark.parametrize(("fails", "kept"), [(lambda x: x < 0.5, True), (lambda x: x == 0.5, False)])
    def test_what_diverges_there_is_worse_than_anything(self, fails, kept, spec, emoji):
        def distance(config):
            if fails(config.x):
                raise Diverged("nan")
            return 0.9

        study = search(spec, emoji, [Made(lambda c: c.x)] * 2, 8)
        after = checked(study, Slope(), Made(distance))
        assert after.kept_default == kept
        assert None in (after.check.default, after.check.best)

    def test_more_trials_ask_for_another_check(self, spec, emoji):
        judges = [Made(lambda c: c.x)] * 2
        study = checked(search(spec, emoji, judges, 4), Slope(), judges[0])
        assert study.check is not None
        assert search(spec, emoji, judges, 5, known=study).check is None
