"""The code of a method, so that what an interrupted run left is not mixed with what changed code makes."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from mmulbench.files import sha256_of


def source_digest(cls: type) -> str:
    """Return the SHA-256 of the source files of a class and of all that it extends, 64 hexadecimal digits.

    What they import besides is not looked at; a class without a file, typed at a prompt, counts as unchanged.
    """
    modules = (sys.modules.get(base.__module__) for base in cls.__mro__)
    files = {Path(path) for module in modules if (path := getattr(module, "__file__", None)) is not None}
    digests = [sha256_of(path) for path in sorted(files) if path.is_file()]  # some are in an archive
    return hashlib.sha256("".join(digests).encode()).hexdigest()
