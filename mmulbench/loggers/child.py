"""Be the process of one logger: ``python -m mmulbench.loggers.child NAME FOLDER`` reads events.

Each line of standard input is a JSON list: ``["begin", name, settings]``, ``["epoch", stage, number,
numbers]`` or ``["end", status, numbers]``. What goes wrong is written to standard output in one line, and the
process ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from mmulbench.errors import described
from mmulbench.loggers.choice import class_of
from mmulbench.loggers.run_log import RunLog
from mmulbench.plain_text import one_line

BROKEN_OFF = "broken off"
"""Status of what was begun and has no end."""


def take(name: str, folder: Path, lines: Iterable[str]) -> None:
    """Give events to a logger until there are no more; what is open then was broken off.

    Args:
        name: name of the logger.
        folder: folder of its files.
        lines: the events.
    """
    logger: RunLog | None = None
    for line in lines:
        kind, *event = json.loads(line)
        if kind == "begin":
            _break_off(logger)
            logger = class_of(name)(folder, *event)
        elif logger is not None and kind == "epoch":
            logger.epoch(*event)
        elif logger is not None:
            logger.end(*event)
            logger = None
    _break_off(logger)


def _break_off(logger: RunLog | None) -> None:
    if logger is not None:
        logger.end(BROKEN_OFF, {})


def main(arguments: list[str]) -> int:
    """Take events from standard input.

    Args:
        arguments: name of the logger, and folder of its files.

    Returns:
        0; 1 where the logger failed.
    """
    said = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        os.dup2(nowhere.fileno(), 1)
        try:
            take(arguments[0], Path(arguments[1]), sys.stdin)
        except Exception as error:
            said.write(f"{one_line(described(error))}\n")
            said.flush()
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
