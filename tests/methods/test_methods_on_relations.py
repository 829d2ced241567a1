"""On classified pairs of graph nodes with a text: what the contract of all methods does not ask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmulbench.conformance.method_trial import MethodTrial
from mmulbench.conformance.tiny_tasks import TINY_TASKS
from mmulbench.core.cost import CostMeter
from mmulbench.core.registry import METHODS
from mmulbench.progress import Progress

(RELATIONS,) = (kind for kind in TINY_TASKS if kind.name == "relations")

NAMES = [
    name
    for name in METHODS.names()
    if name != "original" and METHODS.get(name).applies_to(RELATIONS.task()) is None
]


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
def test_its_work_is_charged_and_its_bars_are_full(name):
    trial = MethodTrial(name, RELATIONS)
    problem = trial.tiny.problem()
    problem = replace(problem, meter=CostMeter(problem.device), progress=(progress := Counting()))
    with problem.meter:
        trial.method().unlearn(problem)
    cost = problem.meter.cost()
    assert cost.samples > 0 and cost.flops > 0
    assert progress.bars and all(done == total for done, total in progress.bars)


def test_operators_of_gnndelete_stay_in_its_model():
    model = MethodTrial("gnndelete", RELATIONS).usual.model
    assert {p.shape for p in model.graph.norms[0].parameters()} == {(16,), (16, 16)}
