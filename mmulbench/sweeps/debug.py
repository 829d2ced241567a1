"""Make steps in this process, one after the other, where a debugger can follow them."""

from __future__ import annotations

from typing import Literal

from mmulbench.sweeps.executor import Executor, Handover, Selection
from mmulbench.sweeps.runner import Runner
from mmulbench.sweeps.worker import LogProgress, StepQueue


class DebugExecutor(Executor):
    """Makes all steps in this process."""

    name: Literal["debug"] = "debug"

    def run(self, selection: Selection, *, quiet: bool) -> Handover:
        """Make the chosen steps; what they print goes to their logs."""
        with selection.folder.attended():
            while self._works_on(selection):
                pass  # a failure may have spoiled this process, but there is no other
        return Handover.ENDED

    def _works_on(self, selection: Selection) -> bool:
        runner = Runner(selection.options, LogProgress())
        return StepQueue(selection.folder, selection.chosen.steps, runner).run()
