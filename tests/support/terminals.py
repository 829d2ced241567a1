"""Running commands on real terminals of any width, and in real pipes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    return {**kept, "TERM": "xterm-256color", "OMP_NUM_THREADS": "1"}


def on_terminal(width: int, *words: str, cwd: Path | None = None, **environment: str) -> tuple[int, str]:
    """Run ``python`` with these arguments on a terminal so wide.

    Returns:
        The exit code, and what the terminal was sent, without escapes.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    process = subprocess.Popen(
        [sys.executable, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=cwd,
        env={**_environment(), **environment},
    )
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 1 << 16):
            seen += chunk
    except OSError:  # Linux: the other end is closed
        pass
    finally:
        os.close(master)
    return process.wait(60), ESCAPES.sub("", seen.decode().replace("\r\n", "\n"))


def in_pipe(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python`` with these arguments, its output in pipes."""
    return subprocess.run(
        [sys.executable, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**_environment(), **environment},
        timeout=240,
        check=False,
    )
