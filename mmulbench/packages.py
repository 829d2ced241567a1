"""Finding what comes with installed packages, and saying how to install what does not."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from mmulbench.errors import UsageError

OFFLINE_INSTALL = 'pip install "mmulbench[offline]"'


def package_folder(package: str, purpose: str, extra: str = "offline") -> Path:
    """Return the folder of an installed package, found without importing it.

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
    return Path(spec.origin).parent
