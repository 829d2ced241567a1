"""A worker process: ``python -m mmulbench.sweeps FOLDER [FIRST COUNT]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mmulbench.errors import MmulbenchError
from mmulbench.sweeps.folder import SweepFolder
from mmulbench.sweeps.options import options_of


def main(arguments: list[str]) -> int:
    """Work on a sweep until nothing is left to do.

    Args:
        arguments: its folder; and which steps, all by default: the number of the first, and how many.
    """
    # Threads that spin while waiting slow each other many times over when two workers share the cores.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    from mmulbench.sweeps.runner import Runner
    from mmulbench.sweeps.worker import LogProgress, work

    folder = SweepFolder(Path(arguments[0]))
    sweep = folder.read()
    steps = sweep.plan().steps
    if len(arguments) > 1:
        first, count = int(arguments[1]), int(arguments[2])
        steps = steps[first : first + count]
    work(folder, steps, Runner(options_of(sweep.options), LogProgress()))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MmulbenchError as error:
        print(f"mmulbench: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
