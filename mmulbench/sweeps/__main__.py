"""Work on a sweep as one process: ``python -m mmulbench.sweeps FOLDER [STEP ...]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.supervisor import GO_ON


def main(arguments: list[str]) -> int:
    """Work on a sweep until nothing is left to do.

    Args:
        arguments: folder of the sweep, and ids of the steps that this worker may take, all by default.

    Returns:
        0, or `GO_ON` where a new process is to go on.
    """
    # Threads that spin while waiting slow each other many times over when two workers share the cores.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    folder = SweepFolder(Path(arguments[0]))
    sweep = folder.read()
    from mmulbench.sweeps.options import enter_folder
    from mmulbench.sweeps.runner import Runner
    from mmulbench.sweeps.worker import LogProgress, StepQueue

    steps = sweep.plan.steps
    if chosen := set(arguments[1:]):
        steps = tuple(step for step in steps if step.step_id in chosen)
    runner = Runner(sweep.options, LogProgress())
    enter_folder(sweep.cwd)
    return GO_ON if StepQueue(folder, steps, runner).run() else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MmulbenchError as error:
        print(f"mmulbench: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
