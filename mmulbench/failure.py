"""Say where something failed: in whose code, on which line, inside of what."""

from __future__ import annotations

import linecache
import site
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType

from mmulbench.errors import described
from mmulbench.frozen import Frozen

KEPT = 3
"""Largest number of places that are kept of a failure."""

OWN, OPEN, ENGINE, LIBRARY = range(4)
"""Whose code a place is in: the user's own, that of a room of mmulbench to which users add files, that of the
rest of mmulbench, or another's."""

OPEN_ROOMS = ("methods", "tasks", "backbones", "metrics.catalogue")
"""Rooms of mmulbench to which users add files, below ``mmulbench.``."""

GROUPS = ("mmulbench.methods", "mmulbench.tasks", "mmulbench.backbones", "mmulbench.metrics")
"""Groups of entry points through which other packages add to mmulbench."""


class Frame(Frozen):
    """Says where a failure passed through.

    Attributes:
        file: path of the file, from the current folder where it lies below that.
        line: number of the line.
        function: name of the function.
        source: the line itself, empty where the file cannot be read.
    """

    file: str
    line: int
    function: str
    source: str = ""

    @property
    def place(self) -> str:
        """File, line and function, such as ``methods/mine.py:12 in loss``."""
        return f"{self.file}:{self.line} in {self.function}"

    def __str__(self) -> str:
        return f"{self.place}: {self.source}" if self.source else self.place


def frames_of(error: BaseException, furthest: int = ENGINE) -> list[Frame]:
    """Return the last places in the user's code that an error passed through, the innermost last.

    The user's code is what is neither mmulbench nor a library: plug-in files, and packages that add methods,
    tasks, backbones or metrics. Where it was not reached, it is the files of the rooms that users add to, and
    then mmulbench itself.

    Args:
        error: the error, as it was caught.
        furthest: whose code may take the place of the user's.
    """
    found: dict[int, list[Frame]] = {}
    for whose, frame in _places(error.__traceback__):
        if whose <= furthest:
            found.setdefault(whose, []).append(frame)
    return found[min(found)][-KEPT:] if found else []


def located(error: BaseException, furthest: int = ENGINE) -> str:
    """Return an error in one line, with its place: ``ValueError: what it says (methods/mine.py:12 in loss)``.

    Args:
        error: the error, as it was caught.
        furthest: whose code may take the place of the user's.
    """
    frames = frames_of(error, furthest)
    return f"{described(error)} ({frames[-1].place})" if frames else described(error)


def _places(trace: TracebackType | None) -> Iterator[tuple[int, Frame]]:
    """Yield the places of a traceback, each with whose code it is in."""
    libraries, outside = _libraries(), _outside_packages()
    rooms = tuple(f"mmulbench.{room}." for room in OPEN_ROOMS)
    for frame, line in traceback.walk_tb(trace):
        code, module = frame.f_code, str(frame.f_globals.get("__name__"))
        path = Path(code.co_filename).resolve()
        if module.partition(".")[0] == "mmulbench":
            whose = OPEN if module.startswith(rooms) else ENGINE
        elif module.partition(".")[0] in outside:
            whose = OWN
        else:
            is_library = code.co_filename.startswith("<") or _is_within(path, libraries)
            whose = LIBRARY if is_library else OWN
        linecache.checkcache(code.co_filename)
        source = linecache.getline(code.co_filename, line, frame.f_globals).strip()
        yield whose, Frame(file=_shown(path), line=line, function=code.co_name, source=source)


def _libraries() -> list[Path]:
    """Return the folders of Python's own modules and of packages, also those of `pip install --target`."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = [*(sysconfig.get_path(name) for name in names), *site.getsitepackages()]
    targets = (folder for folder in sys.path if folder and any(Path(folder).glob("*.dist-info")))
    return [Path(folder).resolve() for folder in [*folders, site.getusersitepackages(), *targets]]


def _outside_packages() -> set[str]:
    """Return the names of installed packages that add methods, tasks, backbones or metrics."""
    points = (point for group in GROUPS for point in entry_points(group=group))
    return {point.module.partition(".")[0] for point in points}


def _is_within(path: Path, folders: list[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except (OSError, ValueError):  # the current folder is gone, or the file lies elsewhere
        return str(path)
