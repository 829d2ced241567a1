"""What every method must hold to. An outside package can inherit it, with a fixture `name`."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import numpy as np
import pytest
import torch
from toys import changed, state_of

from mmulbench.model import MultimodalModel
from mmulbench.registry import METHODS


class MethodContract:
    @pytest.fixture
    def cls(self, name):
        return METHODS.get(name)

    def test_configuration_is_frozen_documented_and_can_be_recorded(self, cls):
        config = cls.Config()
        assert is_dataclass(config) and cls.Config.__dataclass_params__.frozen
        assert cls().config == config
        for field in fields(config):
            assert isinstance(getattr(config, field.name), bool | int | float | str | None)
            assert f"{field.name}:" in cls.Config.__doc__
        assert METHODS.describe(cls.__module__.rpartition(".")[2]).strip()

    @pytest.fixture
    def method(self, name, quick_method, emoji):
        method = quick_method(name)
        if reason := method.applies_to(emoji.task):
            pytest.skip(reason)
        return method

    def test_says_whether_it_applies(self, cls, emoji):
        reason = cls.applies_to(emoji.task)
        assert reason is None or (reason.strip() and "\n" not in reason)

    def test_gives_a_model_of_its_own_and_leaves_the_original(self, method, make_problem, original):
        before, problem = state_of(original), make_problem()
        model = method.unlearn(problem)
        assert isinstance(model, MultimodalModel) and not model.training
        assert not changed(before, original)
        assert not original.training and not any(p.requires_grad for p in original.parameters())
        memory = {p.data_ptr() for p in original.parameters()}
        assert not any(p.data_ptr() in memory for p in model.parameters())
        shapes = {key: value.shape for key, value in before.items()}
        assert {key: value.shape for key, value in model.state_dict().items()} == shapes
        assert all(value.isfinite().all() for value in model.state_dict().values())

    def test_same_problem_same_weights(self, method, make_problem):
        models = []
        for global_seed in (1, 2):
            torch.manual_seed(global_seed)
            np.random.seed(global_seed)
            models.append(method.unlearn(make_problem()))
        assert not changed(state_of(models[0]), models[1])

    def test_leaves_the_global_generator_alone(self, method, make_problem):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        method.unlearn(make_problem())
        assert torch.equal(torch.rand(3), expected)

    @pytest.mark.parametrize("size", [1, 44], ids=["one unit", "Df larger than Dr"])
    def test_any_forget_size(self, size, method, make_problem):
        problem = make_problem(size)
        if size > 1:
            assert len(problem.forget.split.units) > 4 * len(problem.retain.split.units)
        model = method.unlearn(problem)
        assert all(value.isfinite().all() for value in model.state_dict().values())
