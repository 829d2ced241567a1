from __future__ import annotations

import pytest
from tuning_toys import Climb, Made, Slope

from mmulbench.core.search_space import search_space
from mmulbench.errors import Diverged, NotApplicable
from mmulbench.tuning.epochs import allowed_epochs, is_within, lowest, most_epochs

SPACE = search_space(Climb.Config)


def meter(limit: float, cost=lambda c: 0.5 + 0.25 * c.epochs * c.k) -> Made:
    """A judge for which Climb costs a fixed part and as much again for each epoch, at k = 2."""
    return Made(lambda c: 0.0, cost, limit)


@pytest.mark.parametrize(
    ("limit", "most"), [(0.9, 0), (1.0, 1), (1.4, 1), (1.5, 2), (1.9, 2), (3.0, 5), (3.4, 5), (99.0, 10)]
)
def test_as_many_as_the_budget_allows(limit, most):
    judge = meter(limit)
    assert most_epochs(Climb(), SPACE, judge) == most
    assert [config.epochs for config in judge.measured] == [1, 2][: 1 if most == 0 else 2]
    spent = [judge.cost_of(Climb.Config(epochs=epochs)) for epochs in range(1, 11)]
    assert most == sum(cost <= limit for cost in spent)


def test_where_own_settings_allow_none_the_lowest_may():
    assert allowed_epochs(Climb(), SPACE, meter(0.9)) == 1  # k = 1: 0.5 + 0.25 an epoch
    assert allowed_epochs(Climb(), SPACE, meter(1.6)) == 2  # k = 2
    assert allowed_epochs(Climb(), SPACE, meter(0.7)) == 0
    assert lowest(Climb(), SPACE).config == Climb.Config(epochs=1, x=0.01, k=1)


def test_a_method_without_epochs():
    space = search_space(Slope.Config)
    for limit, within in ((2.9, True), (1.0, True), (0.9, False)):
        assert is_within(Slope(), space, Made(lambda c: 0.0, lambda c: float(c.k), limit)) == within


@pytest.mark.parametrize("error", [Diverged("nan"), KeyError("x")])
def test_what_fails_is_left_to_its_trial(error):
    def cost(config):
        raise error

    assert most_epochs(Climb(), SPACE, meter(1.0, cost)) == 10
    assert is_within(Slope(), search_space(Slope.Config), meter(1.0, cost))


def test_what_cannot_run_says_so():
    def cost(config):
        raise NotApplicable("the model has no head")

    with pytest.raises(NotApplicable):
        most_epochs(Climb(), SPACE, meter(1.0, cost))
