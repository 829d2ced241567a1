"""``python -m mmulbench.cli.process``: one of the processes that `mmulbench.cli.launch` starts.

The first speaks for all. What the others print is kept back, and shown only where one of them fails alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

from mmulbench.cli.app import INTERRUPTED, main


def run() -> int:
    """Run the command as one of several processes.

    Returns:
        The exit code: the command's in the first process; in the others 0, unless they fail alone.
    """
    if os.environ["RANK"] == "0":
        return main()
    shown = os.dup(sys.stderr.fileno())
    with tempfile.TemporaryFile() as kept, open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
        os.dup2(kept.fileno(), sys.stderr.fileno())
        code = main()
        from mmulbench import processes

        if processes.has_left():
            return 0
        if code not in (INTERRUPTED, processes.Lost.exit_code):
            # If the first process fails as well, the launcher ends this one during the sleep.
            time.sleep(processes.FAILURE_GRACE.total_seconds())
            kept.seek(0)
            lines = kept.read().splitlines(keepends=True)
            os.write(shown, b"".join(lines if "--debug" in sys.argv else lines[-1:]))
        return code


if __name__ == "__main__":
    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # where the processes did not part, an exchange that never ends would keep this one here
