"""Define what an executor is: it makes the chosen steps of a sweep, or has them made elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mmulbench.frozen import Frozen
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.plan import Plan

if TYPE_CHECKING:
    from mmulbench.runs.request import RunOptions

Seconds = Annotated[float, Field(ge=1)]
"""Time limit of a step."""


class Handover(Enum):
    """Names what an executor leaves behind when it returns."""

    ENDED = "nothing is under way any more"
    STARTED = "workers that outlive this command"
    SUBMITTED = "new jobs in a queue"
    UNCHANGED = "nothing new: all is done or queued already"


@dataclass(frozen=True)
class Selection:
    """Holds the steps of a sweep that one command makes.

    Attributes:
        folder: folder of the sweep.
        options: options that all runs share.
        plan: plan of the whole sweep.
        chosen: plan of the steps that are to be made.
    """

    folder: SweepFolder
    options: RunOptions
    plan: Plan
    chosen: Plan

    @property
    def is_whole(self) -> bool:
        """Whether all steps of the sweep are chosen."""
        return len(self.chosen.steps) == len(self.plan.steps)

    @property
    def step_ids(self) -> tuple[str, ...]:
        """Ids of the chosen steps; empty where all are chosen."""
        return () if self.is_whole else tuple(step.step_id for step in self.chosen.steps)


class Executor(Frozen, ABC):
    """Makes steps; its fields are the settings that a user gives."""

    def require(self) -> None:
        """Check that what starts the steps is here, before anything is written; workers of our own are.

        Raises:
            UsageError: It is not.
        """
        return

    @abstractmethod
    def run(self, selection: Selection, *, quiet: bool) -> Handover:
        """Make the chosen steps, or have them made.

        Args:
            selection: the steps.
            quiet: whether to show no progress meanwhile.

        Raises:
            MmulbenchError: The steps cannot be started.
        """
