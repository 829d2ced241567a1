from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pytest
import torch
from pydantic import Field

from mmulbench.core.method import GradientConfig, Method
from mmulbench.core.registry import METHODS, TASKS
from mmulbench.core.search_space import Search, search_space
from mmulbench.errors import Diverged, MmulbenchError, OverBudget, UsageError
from mmulbench.records.published import PUBLISHED_SEEDS
from mmulbench.records.study import read_study, study_path, tuned_default, write_study
from mmulbench.runs.measurements import retain_sample
from mmulbench.tuning.holdout import forget_units, held_out
from mmulbench.tuning.trials import Judge, make_judge, study_spec, tune

SIZE = 4


class Slope(Method):
    """A method whose distance to retrain the tests make up from its settings."""

    @dataclass(frozen=True)
    class Config:
        """Settings.

        Attributes:
            x: searched.
            k: searched, whole.
            fixed: not searched.
        """

        x: Annotated[float, Field(gt=0), Search(0.01, 1.0, log=True)] = 0.5
        k: Annotated[int, Field(ge=1), Search(1, 9)] = 3
        fixed: int = 7

    def unlearn(self, problem):
        raise NotImplementedError


class Made:
    """Stands for a forget set to tune on; the distance is a function of the configuration."""

    def __init__(self, distance):
        self.distance_of, self.seen = distance, []

    def distance(self, method):
        self.seen.append(method.config)
        return self.distance_of(method.config)


@pytest.fixture
def spec(emoji):
    return study_spec(emoji, "slope", Slope(), SIZE, (1, 2), 0.5)


def search(spec, workspace, judges, count=8, known=()):
    studies = list(tune(spec, Slope(), known, count, judges, workspace))
    assert [len(study.trials) for study in studies] == list(range(len(known) + 1, count + 1))
    return studies[-1]


@pytest.mark.parametrize("name", METHODS.names())
def test_what_has_settings_is_searched_around_its_defaults(name):
    config = METHODS.get(name).Config()
    space = search_space(type(config))
    assert bool(space) == bool(vars(config))
    for key, one in space.items():
        assert one.search.low <= getattr(config, key) <= one.search.high
        assert one.whole == isinstance(getattr(config, key), int)
    if isinstance(config, GradientConfig):
        assert {"epochs", "lr"} <= set(space)


@pytest.mark.parametrize("wrong", [(2, 1, False), (1, 1, False), (0, 1, True), (1, math.inf, False)])
def test_impossible_ranges(wrong):
    with pytest.raises(ValueError, match="low must be"):
        Search(*wrong)


def test_the_first_trial_is_the_methods_own_and_the_best_wins(spec, workspace):
    judges = [Made(lambda c: abs(math.log(c.x / 0.05)) / 10), Made(lambda c: abs(c.k - 5) / 10)]
    study = search(spec, workspace, judges, 12)
    assert len(study.trials) == 12
    assert study.trials[0].settings == {"x": 0.5, "k": 3}
    assert study.trials[0].by_seed == pytest.approx([math.log(10) / 10, 0.2])
    assert study.trials[0].objective == pytest.approx((math.log(10) / 10 + 0.2) / 2)
    done = [trial.objective for trial in study.trials if trial.state == "done"]
    assert study.best.objective == min(done) < study.trials[0].objective
    assert study.settings == study.best.settings
    tried = judges[0].seen
    assert len(tried) == 12 and len({config.x for config in tried}) > 6
    assert all(0.01 <= c.x <= 1 and 1 <= c.k <= 9 and c.fixed == 7 for c in tried)
    assert all(float(f"{c.x:.3g}") == c.x for c in tried)


def test_an_interrupted_study_goes_on_as_if_it_had_not_been(spec, workspace):
    def judges():
        return [Made(lambda c: min(c.x, 1.0)), Made(lambda c: c.k / 10)]

    whole = search(spec, workspace, judges(), 9)
    part = search(spec, workspace, judges(), 5)
    assert part.trials == whole.trials[:5]
    rest = judges()
    assert search(spec, workspace, rest, 9, part.trials).trials == whole.trials
    assert len(rest[0].seen) == 4
    assert not list(tune(spec, Slope(), part.trials, 3, [], workspace))


def test_hopeless_trials_are_pruned_and_never_win(spec, workspace):
    second = Made(lambda c: 0.0)
    study = search(spec, workspace, [Made(lambda c: c.x), second], 12)
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
def test_what_goes_wrong_costs_one_trial_and_never_wins(error, state, spec, workspace):
    def distance(config):
        if config.x > 0.2:
            raise error
        return config.x

    study = search(spec, workspace, [Made(distance)], 10)
    assert {trial.state for trial in study.trials} == {state, "done"}
    assert study.trials[0].state == state and study.trials[0].reason
    assert study.best.settings["x"] <= 0.2

    def always(config):
        raise error

    hopeless = search(spec, workspace, [Made(always)], 3)
    assert hopeless.best is None and hopeless.settings == {}


def test_a_full_disk_or_missing_package_is_no_trial(spec, workspace):
    def distance(config):
        raise MmulbenchError("cannot write")

    with pytest.raises(MmulbenchError, match="cannot write"):
        search(spec, workspace, [Made(distance)], 3)


def test_a_default_outside_of_what_is_searched_is_refused(emoji):
    with pytest.raises(UsageError, match=r"slope: x=2.0 lies outside of what is searched, 0.01 to 1.0"):
        study_spec(emoji, "slope", Slope(Slope.Config(x=2.0)), SIZE, (1,), 0.5)


class TestHeldOutData:
    @pytest.fixture
    def held(self, emoji):
        return held_out(emoji, 1)

    def test_validation_takes_the_place_of_the_test_split(self, emoji, held):
        data, whole = held.data, emoji.data
        halves = [set(data.validation.units.tolist()), set(data.test.units.tolist())]
        assert not halves[0] & halves[1] and all(halves)
        assert halves[0] | halves[1] == set(whole.validation.units.tolist())
        assert np.array_equal(data.train.first, whole.train.first)

    def test_no_pair_of_the_test_split_is_known(self, emoji, held):
        first, second = (
            torch.from_numpy(column) for column in (emoji.data.test.first, emoji.data.test.second)
        )
        assert emoji.relations.pairwise(first, second).all()
        assert not held.relations.pairwise(first, second).any()
        assert not held.known_relations.pairwise(first, second).any()
        judged = held.data.test
        columns = (torch.from_numpy(column) for column in (judged.first, judged.second))
        assert not held.known_relations.pairwise(*columns).any()

    def test_the_judged_half_cannot_be_reached_from_the_problem(self, emoji, workspace):
        judge = make_judge(emoji, 2, 1, 0.5)
        units = set(judge.scenario.sampled_sets.splits["test"].units.tolist())
        assert units and not units & set(
            judge.scenario.prepared.pairs(judge.scenario.prepared.data.validation).split.units
        )
        assert not units & set(judge.scenario.prepared.data.train.units)

    def test_forget_sets_are_apart_from_all_published_ones(self, emoji, held):
        published = {
            unit for seed in PUBLISHED_SEEDS for unit in emoji.task.forget_units(emoji.data, 2, seed).tolist()
        }
        found = [set(forget_units(held, 2, seed).tolist()) for seed in (1, 2)]
        assert all(len(units) == 2 and not units & published for units in found)
        with pytest.raises(UsageError, match=r"leaves \d+ units outside the published forget sets"):
            forget_units(held, len(emoji.data.train.units) // 3, 1)

    def test_the_sample_of_the_retain_set_is_a_part_of_dr(self, held):
        forget = forget_units(held, 2, 1)
        judged = retain_sample(held, forget, 1)
        assert set(judged.units) <= set(held.data.train.without(forget).units)
        assert len(judged.units) == len(held.data.test.units)


class TestRealJudge:
    """Real methods, judged on real held-out pairs of a tiny model."""

    @pytest.fixture
    def judge(self, emoji, workspace) -> Judge:
        return make_judge(emoji, 2, 1, 0.5)

    def test_retrain_is_at_no_distance_and_the_limit_is_what_was_asked(self, judge, workspace):
        retrain = METHODS.get("retrain")()
        generous = replace(judge, limit=math.inf)
        assert generous.distance(retrain) == 0.0
        with pytest.raises(OverBudget, match="allowed floating-point operations"):
            judge.distance(retrain)
        original = METHODS.get("original")()
        assert 0.0 <= judge.distance(original) <= 1.0

    def test_a_diverging_configuration(self, judge, workspace, quick_method):
        wild = quick_method("gradient_ascent", lr=1e30)
        with pytest.raises(Diverged):
            replace(judge, limit=math.inf).distance(wild)


class TestDefaults:
    @pytest.fixture
    def study(self, spec, workspace):
        return search(spec, workspace, [Made(lambda c: c.x)], 5)

    @pytest.fixture
    def find(self, emoji, tmp_path):
        def look(name="emoji", task=emoji.task, backbone=emoji.backbone.full_name, method="slope"):
            return tuned_default(task.study_places(name, backbone), method, Slope.Config(), tmp_path)

        return look

    def test_a_study_becomes_the_default(self, study, find, tmp_path):
        assert find() is None
        write_study(study_path(tmp_path, "emoji", "albef:tiny", "slope"), study)
        found = find()
        assert found.config == replace(Slope.Config(), **study.settings)
        assert found.config.x < 0.5
        assert (found.tuning.study_id, found.tuning.trials) == (study.spec.study_id, 5)
        assert found.tuning.found
        assert find(method="other") is None
        assert find(backbone="albef:base") is None

    def test_a_study_in_vain_leaves_the_method_s_own_settings(self, study, find, tmp_path):
        over = {"state": "over_budget", "objective": None}
        vain = study.model_copy(update={"trials": [one.model_copy(update=over) for one in study.trials]})
        write_study(study_path(tmp_path, "emoji", "albef:tiny", "slope"), vain)
        assert find().config == Slope.Config()
        assert (find().tuning.trials, find().tuning.found) == (5, False)

    def test_the_nearest_task_stands_in(self, study, find, tmp_path):
        flags = TASKS.get("flags")()
        assert flags.tuned_like is not None
        write_study(study_path(tmp_path, *flags.tuned_like, "slope"), study)
        assert find("flags", flags, "albef:tiny").config.x == study.settings["x"]

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"", "Invalid JSON: "),
            (b"{}", "spec: Field required"),
            (b'{"spec": 1}', "spec: "),
            (b"\0", "Invalid JSON: "),
            (b"\xff", "Invalid JSON: "),
        ],
    )
    def test_a_damaged_study_is_named(self, content, fault, find, tmp_path):
        path = study_path(tmp_path, "emoji", "albef:tiny", "slope")
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        wanted = f"cannot read the study {path}: {fault}.*; delete it and tune again"
        with pytest.raises(MmulbenchError, match=wanted):
            find()

    def test_a_study_of_settings_that_are_gone(self, study, find, tmp_path):
        trials = [study.trials[0].model_copy(update={"settings": {"y": 1.0}})]
        path = study_path(tmp_path, "emoji", "albef:tiny", "slope")
        write_study(path, study.model_copy(update={"trials": trials}))
        with pytest.raises(MmulbenchError, match="sets y, which the method does not have"):
            find()
        assert read_study(path) is not None
