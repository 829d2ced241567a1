"""Name by its content all code that may decide what is found of a record, and how tables show it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mmulbench.code_digest import code_digest
from mmulbench.core.plugins import plugin_of
from mmulbench.core.registry import BACKBONES, METHODS, METRICS, TASKS, Registry
from mmulbench.errors import MmulbenchError
from mmulbench.hashing import fingerprint

OWN = ("mmulbench", "mmulbench.methods", "mmulbench.tasks")
"""Packages whose files count, all of them: which of them decide a verdict is not worth finding out."""

LIBRARIES = ("pydantic", "pydantic_core", "numpy", "scipy")
"""Installed packages that check and compute."""


def judging_code() -> str | None:
    """Return a digest of the code of mmulbench, of loaded plug-ins and of packages that register something.

    Returns:
        64 hexadecimal digits; None where some code cannot be known by its content, as what was registered by
        hand.
    """
    try:
        outside = {f"{registry.kind} {name}": digest for registry, name, digest in _outside()}
    except MmulbenchError:
        return None
    if None in outside.values():
        return None
    versions = {name: _version(name) for name in LIBRARIES}
    return fingerprint([sys.version, versions, _own_code(), outside])


def _outside() -> Iterator[tuple[Registry[Any], str, str | None]]:
    """Yield what is registered and not mmulbench's own, with the digest of its code where that is known.

    Raises:
        MmulbenchError: A file cannot be read.
    """
    for registry in (METHODS, TASKS, BACKBONES, METRICS):
        by_hand = registry.by_hand()
        for name in registry.names():
            module = registry.module_of(name)
            if module.startswith("mmulbench."):
                continue
            plugin = plugin_of(registry.kind, name)
            if plugin is not None:
                yield registry, name, plugin.digest
            else:
                yield registry, name, None if name in by_hand else code_digest(module)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _own_code() -> str:
    """Return the digest of the source files of `OWN`, as they are now."""
    digest = hashlib.sha256()
    for name, path in sorted(_own_files().items()):
        try:
            content = Path(path).read_bytes()
        except OSError:  # moved away just now: another digest, which is right
            content = b""
        digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


def _own_files() -> dict[str, str]:
    """Return the source files of `OWN` by a name that does not depend on where they are."""
    specs = [(package, importlib.util.find_spec(package)) for package in OWN]
    folders = [(package, place) for package, spec in specs if spec for place in _places(spec)]
    return {
        f"{package}{above.removeprefix(folder)}/{name}": f"{above}/{name}"
        for package, folder in folders
        for above, _, names in os.walk(folder)
        for name in names
        if name.endswith(".py")
    }


def _places(spec: ModuleSpec) -> Sequence[str]:
    return spec.submodule_search_locations or ()
