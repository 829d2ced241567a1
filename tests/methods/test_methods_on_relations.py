"""The contract on classified pairs of graph nodes with a text, for methods that retrieval does not reach."""

from __future__ import annotations

from dataclasses import replace

import pytest
from method_contract import MethodContract
from toys import changed, state_of

from mmulbench import pipeline
from mmulbench.preparation import find_backbone, prepare
from mmulbench.progress import Progress
from mmulbench.references import load_original
from mmulbench.registry import METHODS, TASKS

NAMES = [
    "boundary_expand",
    "boundary_shrink",
    "descent_to_delete",
    "fisher",
    "influence",
    "kga",
    "l_codec",
    "ssd",
]


@pytest.fixture(scope="module")
def emoji(workspace):
    """A few genes and phenotypes; the contract calls its task emoji."""
    cls = TASKS.get("hpo_pgr")
    task = cls(cls.Config(limit=20))
    recipe = replace(task.recipe, epochs=1, batch_size=16)
    return prepare("hpo_pgr", task, find_backbone("gtnn:tiny", task), recipe, workspace)


@pytest.fixture(scope="module")
def original(emoji, workspace):
    return load_original(emoji, 42, workspace)[0]


@pytest.fixture(scope="module")
def make_problem(emoji, original, workspace):
    def make(size=4):
        units = emoji.task.forget_units(emoji.data, size, 42)
        return pipeline.make_problem(original, units, emoji, 42, workspace)

    return make


class RelationsContract(MethodContract):
    @pytest.mark.parametrize("kept", [4, None], ids=["Df larger than Dr", "one unit"])
    def test_any_forget_size(self, kept, method, make_problem, emoji):
        problem = make_problem(1 if kept is None else len(emoji.data.train.units) - kept)
        model = method.unlearn(problem)
        assert all(value.isfinite().all() for value in model.state_dict().values())

    def test_its_work_is_charged_and_its_bars_are_full(self, method, make_problem):
        problem = make_problem()
        problem.progress = Counting()
        with problem.meter:
            method.unlearn(problem)
        cost = problem.meter.cost()
        assert cost.samples > 0 and cost.flops > 0
        assert problem.progress.bars and all(done == total for done, total in problem.progress.bars)


class Counting(Progress):
    """Progress that counts."""

    def __init__(self):
        self.bars = []

    def counter(self, total, description):
        bar = [0, total]
        self.bars.append(bar)

        def tick():
            bar[0] += 1

        return tick


@pytest.mark.parametrize("name", NAMES)
class TestOnRelations(RelationsContract): ...


@pytest.mark.parametrize("name", ["gnndelete"])
class TestGnnDelete(RelationsContract):
    def test_gives_a_model_of_its_own_and_leaves_the_original(self, method, make_problem, original):
        """Its operators add to the weights: the other contract asks for the same shapes."""
        before = state_of(original)
        model = method.unlearn(make_problem())
        assert not model.training and not changed(before, original)
        memory = {p.data_ptr() for p in original.parameters()}
        assert not any(p.data_ptr() in memory for p in model.parameters())
        assert {p.shape for p in model.graph.norms[0].parameters()} == {(16,), (16, 16)}
        assert all(value.isfinite().all() for value in model.state_dict().values())


@pytest.mark.parametrize("name", [*NAMES, "gnndelete"])
def test_it_applies(name, emoji):
    assert METHODS.get(name).applies_to(emoji.task) is None
