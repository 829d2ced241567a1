"""Finding what comes with installed packages, and saying how to install what does not."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from mmulbench.errors import UsageError

OFFLINE_INSTALL = 'pip install "mmulbench[offline]"'


def package_folder(package: str, purpose: str) -> Path:
    """Folder of an installed package, found without importing it.

    Args:
        package: its import name.
        purpose: what needs it, for the message.

    Raises:
        UsageError: if it is not installed, with the command that installs it.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise UsageError(f"{purpose} needs the package {package}: run {OFFLINE_INSTALL}")
    return Path(spec.origin).parent
