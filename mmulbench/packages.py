"""Finding what comes with installed packages, and saying how to install what does not."""

from __future__ import annotations

import atexit
import sys
import tempfile
from contextlib import suppress
from importlib.util import cache_from_source, find_spec
from pathlib import Path

from mmulbench.errors import UsageError

GENERATORS = ("torch_geometric",)
"""Packages that write modules into the folder of temporary files, and leave them there."""

OFFLINE_INSTALL = 'pip install "mmulbench[offline]"'


def package_folder(package: str, purpose: str, extra: str = "offline") -> Path:
    """Return the folder of an installed package, found without importing it.

    What a package of `GENERATORS` writes for this process is removed when it ends.

    Args:
        package: import name of the package.
        purpose: what needs it, for the message.
        extra: name of the extra of mmulbench that installs it.

    Raises:
        UsageError: It is not installed; the message has the command that installs it.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise UsageError(f'{purpose} needs the package {package}: run pip install "mmulbench[{extra}]"')
    if package in GENERATORS:
        atexit.unregister(remove_generated)
        atexit.register(remove_generated)
    return Path(spec.origin).parent


def remove_generated() -> None:
    """Remove the source files that packages of `GENERATORS` have left in the folder of temporary files.

    They are read once, when the module is made; each process makes its own.
    """
    temporary = Path(tempfile.gettempdir())
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in GENERATORS and file and Path(file).parent == temporary:
            for left in (file, cache_from_source(file)):
                with suppress(OSError):
                    Path(left).unlink()
