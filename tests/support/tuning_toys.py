"""Methods that are never run, and judges that make up what they cost and how far from retrain they end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from mmulbench.core.descent import Epochs
from mmulbench.core.method import Method
from mmulbench.core.model import MultimodalModel
from mmulbench.core.search_space import Search
from mmulbench.errors import OverBudget
from mmulbench.evaluation.distance import Distance
from mmulbench.records.study import Study, StudySpec
from mmulbench.runs.prepare import PreparedTask
from mmulbench.tuning.trials import study_spec, tune

SIZE = 4


class Slope(Method):
    """A method without epochs."""

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

    def unlearn(self, problem: Any) -> MultimodalModel:
        raise NotImplementedError


class Climb(Slope):
    """A method with epochs, one to ten, whose epochs cost more with larger ``k``."""

    @dataclass(frozen=True)
    class Config:
        """Settings.

        Attributes:
            epochs: searched.
            x: searched.
            k: searched, whole.
        """

        epochs: Epochs = 5
        x: Annotated[float, Field(gt=0), Search(0.01, 1.0, log=True)] = 0.5
        k: Annotated[int, Field(ge=1), Search(1, 4)] = 2


class Made:
    """Stands for a forget set to tune on: distance and cost are functions of the configuration."""

    def __init__(
        self,
        distance: Callable[[Any], float],
        cost: Callable[[Any], float] = lambda config: 0.0,
        limit: float = math.inf,
        nothing: float = 0.5,
        lost: Callable[[Any], float] = lambda config: 0.0,
    ) -> None:
        self.distance_of, self.cost_of, self.lost_of = distance, cost, lost
        self.limit, self.do_nothing = limit, nothing
        self.seen: list[Any] = []
        self.measured: list[Any] = []

    def cost(self, method: Method) -> float:
        """Return what the method costs."""
        self.measured.append(method.config)
        return self._within(method)

    def distance(self, method: Method) -> Distance:
        """Return the made-up distance."""
        self.seen.append(method.config)
        self._within(method)
        return Distance(self.distance_of(method.config), self.lost_of(method.config))

    def _within(self, method: Method) -> float:
        spent = self.cost_of(method.config)
        if spent > self.limit:
            raise OverBudget(f"{spent} of {self.limit}")
        return spent


def slope_spec(prepared: PreparedTask, method: Method | None = None, budget: float = 0.5) -> StudySpec:
    """Return the specification of a study of `Slope`, or of another method."""
    return study_spec(prepared, "slope", method or Slope(), SIZE, (1, 2), budget)


def search(
    spec: StudySpec,
    prepared: PreparedTask,
    judges: list[Made],
    count: int = 8,
    *,
    method: Method | None = None,
    known: Study | None = None,
) -> Study:
    """Make a study of so many trials, and see that it is handed over after each."""
    done = len(known.trials) if known is not None else 0
    studies = list(tune(spec, method or Slope(), known, count, judges, prepared.workspace))
    if studies[0].over_budget is None:
        assert [len(study.trials) for study in studies] == list(range(done + 1, count + 1))
    return studies[-1]
