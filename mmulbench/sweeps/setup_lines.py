"""Check shell lines that a Slurm task runs before its steps, and have it end where one of them fails."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

from mmulbench.sweeps.slurm_commands import reasons


def fault_of_lines(text: str) -> str | None:
    """Return what bash has against shell lines; None where it can read them, or is not here.

    Args:
        text: the lines.
    """
    if (bash := shutil.which("bash")) is None:
        return None
    done = subprocess.run(
        [bash, "-n"], input=text.encode(errors="surrogateescape"), capture_output=True, check=False
    )
    return reasons(done.stderr.decode(errors="replace")) if done.returncode else None


def guarded_lines(text: str) -> list[str]:
    """Return shell lines that end the task where one of the given lines fails: the steps would lack it.

    Args:
        text: the lines; where they do not stand alone, as those of a loop, only the last command counts.
    """
    if not text.strip():
        return []
    lines = [line for line in text.splitlines() if re.match(r"\s*[^#\s]", line)]
    stand_alone = not re.search(r"<<|\\$", text, re.MULTILINE) and not any(map(fault_of_lines, lines))
    found = []
    for item in lines if stand_alone else [text]:
        said = shlex.quote(f"setup failed: {' '.join(item.split())}")
        found += ["{", item, f"}} || {{ echo {said} >&2; exit 1; }}"]
    return found
