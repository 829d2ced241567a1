"""Load plug-ins: Python files that register methods, tasks, backbones or metrics, without a package."""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmulbench.core.registry import BACKBONES, METHODS, METRICS, PLUGIN_PREFIX, TASKS, Registry
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import reason_of

DIGEST_DIGITS = 16
"""Hexadecimal digits of a plug-in file's digest."""

Name = tuple[str, str]
"""Kind and registered name, such as ``("method", "scrubber")``."""


@dataclass(frozen=True)
class Plugin:
    """Describes a plug-in file as it was loaded.

    Attributes:
        path: absolute, links resolved.
        digest: first `DIGEST_DIGITS` hexadecimal digits of the SHA-256 of its content.
        names: kinds and names that it registered.
    """

    path: Path
    digest: str
    names: frozenset[Name]


_REGISTRIES: dict[str, Registry[Any]] = {
    registry.kind: registry for registry in (METHODS, TASKS, BACKBONES, METRICS)
}
_LOADED: dict[Path, Plugin] = {}


def load_plugins(paths: Sequence[Path]) -> None:
    """Import plug-in files, so that the registries know what they register.

    A file that is loaded already is left alone, or takes its old content's place where it has changed.

    Raises:
        UsageError: a file is missing or no ``.py`` file, or registers nothing or a name that is taken.
        MmulbenchError: a file cannot be read, or fails when it is imported.
    """
    for path in paths:
        _load(path)


def plugin_of(kind: str, name: str) -> Plugin | None:
    """Return the loaded plug-in that registered a name; None for what is built in or of an installed package.

    Args:
        kind: what is registered, such as ``method``.
        name: registered name.
    """
    return next((plugin for plugin in _LOADED.values() if (kind, name) in plugin.names), None)


def plugins_of_study(method: str, task: str, backbone: str) -> dict[str, Plugin]:
    """Return the plug-ins that a run's method, task and backbone come from, by registered name.

    Args:
        method: registered name of the method.
        task: registered name of the task.
        backbone: family of the backbone.
    """
    names = (("method", method), ("task", task), ("backbone", backbone))
    return {name: plugin for kind, name in names if (plugin := plugin_of(kind, name)) is not None}


def plugins_of_run(method: str, task: str, backbone: str) -> dict[str, Plugin]:
    """Return all plug-ins that decide a run's record, those of metrics too, by registered name.

    Args:
        method: registered name of the method.
        task: registered name of the task.
        backbone: family of the backbone.
    """
    metrics = {
        name: plugin for plugin in _LOADED.values() for kind, name in sorted(plugin.names) if kind == "metric"
    }
    return {**plugins_of_study(method, task, backbone), **metrics}


def _load(path: Path) -> None:
    source = _read(path)
    place = path.resolve()
    digest = hashlib.sha256(source).hexdigest()[:DIGEST_DIGITS]
    known = _LOADED.get(place)
    if known is not None and known.digest == digest:
        return
    if known is not None:
        _discard(_LOADED.pop(place).names)
    before, module = _registered(), _module_name(place)
    try:
        _execute(module, place, source)
        names = _registered() - before
        _check_names(path, names)
    except BaseException:
        _discard(_registered() - before)
        sys.modules.pop(module, None)
        raise
    _LOADED[place] = Plugin(place, digest, names)


def _read(path: Path) -> bytes:
    if path.suffix != ".py":
        raise UsageError(f"plug-in {path} is no .py file; give --plugin (or MMULBENCH_PLUGINS) a Python file")
    try:
        if not path.is_file():
            raise UsageError(f"there is no file {path}; check --plugin and MMULBENCH_PLUGINS")
        return path.read_bytes()
    except OSError as error:
        raise MmulbenchError(f"plug-in {path} cannot be read: {reason_of(error)}") from error


class _Source(importlib.abc.SourceLoader):
    """Loads a module from bytes in hand: what was hashed is what runs, with no bytecode file in between."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path = str(path)
        self._source = source

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str) -> bytes:
        return self._source


def _module_name(path: Path) -> str:
    """Return a module name that nothing else has, alike for the same path every time."""
    return f"{PLUGIN_PREFIX}{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def _execute(name: str, path: Path, source: bytes) -> None:
    """Import a file as the module ``name``.

    Raises:
        MmulbenchError: it fails; the line says where.
    """
    loader = _Source(path, source)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None  # only so for a file of unknown type without a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look there
    try:
        loader.exec_module(module)
    except MmulbenchError as error:
        raise type(error)(f"plug-in {path}: {error}") from error
    except (Exception, SystemExit) as error:
        raise MmulbenchError(f"plug-in {path} cannot be loaded{_failure(error, path)}") from error


def _failure(error: BaseException, path: Path) -> str:
    """Where in the file and why: ``, line 3: NameError: ...``."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    reason = str(error)
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines, reason = [error.lineno], error.msg
    where = f", line {lines[-1]}" if lines else ""
    hint = "; a plug-in cannot import files beside it" if isinstance(error, ImportError) else ""
    return f"{where}: {type(error).__name__}: {' '.join(reason.split())}{hint}"


def _check_names(path: Path, names: frozenset[Name]) -> None:
    """Refuse what a record, which knows plug-ins by name alone, or the cache could not tell apart.

    Raises:
        UsageError: nothing is registered, a name is another kind's, or a backbone calls itself otherwise.
    """
    if not names:
        raise UsageError(
            f"plug-in {path} registers nothing; decorate a class with "
            '@METHODS.register("name"), or with TASKS, BACKBONES or METRICS, of mmulbench'
        )
    for kind, name in sorted(names):
        for other, registry in _REGISTRIES.items():
            if name in registry.names() and (other, name) not in names:
                raise UsageError(f"plug-in {path}: {kind} {name!r} is called like a {other}; rename it")
        if kind == "backbone" and (own := getattr(BACKBONES.get(name), "name", None)) != name:
            raise UsageError(f'plug-in {path}: backbone {name!r} calls itself {own!r}; set name = "{name}"')


def _registered() -> frozenset[Name]:
    return frozenset((kind, name) for kind, registry in _REGISTRIES.items() for name in registry.by_hand())


def _discard(names: Iterable[Name]) -> None:
    for kind, name in names:
        _REGISTRIES[kind].discard(name)
