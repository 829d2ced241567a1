"""Say where mmulbench runs, in one line to whoever starts it elsewhere.

Older versions of Python read this module, too; the rest of mmulbench cannot be imported there.
"""

from __future__ import annotations

import importlib.util
import sys

OLDEST = (3, 11)
"""Oldest version of Python that mmulbench runs on, as in pyproject.toml."""

NEEDED = ("fcntl", "resource")
"""Modules that Python has on Linux and macOS and lacks on Windows."""


def refusal(version: tuple[int, ...] = sys.version_info[:3]) -> str:
    """Return in one line why mmulbench does not run here; nothing where it does.

    Args:
        version: version of Python.
    """
    if version[:2] < OLDEST:
        needed, found = (".".join(map(str, one)) for one in (OLDEST, version))
        return f"mmulbench needs Python {needed} or newer, and this is Python {found}: {sys.executable}"
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        hint = "; on Windows, use the Windows Subsystem for Linux" if sys.platform == "win32" else ""
        return f"mmulbench runs on Linux and macOS: this Python lacks {' and '.join(missing)}{hint}"
    return ""
