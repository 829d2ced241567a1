"""Find methods, tasks, backbones and metrics by name, here and in outside packages, when first asked for."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
import threading
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from mmulbench.core.descriptions import described_class, described_file, described_module, file_of
from mmulbench.errors import MmulbenchError, UsageError, did_you_mean

if TYPE_CHECKING:
    from mmulbench.core.backbone import Backbone
    from mmulbench.core.method import Method
    from mmulbench.core.metric import Metric
    from mmulbench.core.task import Task

T = TypeVar("T")
C = TypeVar("C")

PLUGIN_PREFIX = "mmulbench_plugin_"
"""How the module names of plug-in files start, see `mmulbench.core.plugins`."""


class Registry(Generic[T]):
    """Holds classes of one kind by name, each imported when it is first asked for.

    A name is a module of ``package`` that registers a class under the module's own name, an entry point of an
    installed package, or a class registered by hand. Safe to use from several threads.

    Args:
        kind: What is registered, such as ``"method"``; used in messages.
        base: The class every registered class must extend, as ``"module:Class"``; resolved when first needed.
        package: Dotted name of the package whose modules are the built-in entries.
        entry_points: The entry-point group through which other packages add entries.

    Attributes:
        changes: Number of registrations and removals so far; what rests on older ones is out of date.
    """

    def __init__(self, kind: str, base: str, package: str, entry_points: str) -> None:
        self.kind = kind
        self.package = package
        self.changes = 0
        self._base = base
        self._group = entry_points
        self._classes: dict[str, type[T]] = {}
        self._lock = threading.Lock()

    def register(self, name: str) -> Callable[[type[C]], type[C]]:
        """Return a decorator that registers a class under ``name``.

        Raises:
            UsageError: The class does not extend the base, or another class has the name. The same class
                again, as after a reload, replaces the earlier one.
        """

        def add(cls: type[C]) -> type[C]:
            self._add(name, cls)
            return cls

        return add

    def names(self) -> list[str]:
        """Return all names, sorted, without importing their modules."""
        with self._lock:
            registered = list(self._classes)
        return sorted({*registered, *self._modules(), *self._outside})

    def by_hand(self) -> set[str]:
        """Return the names registered so far that are neither built in nor an installed package's."""
        with self._lock:
            registered = set(self._classes)
        return registered - self._modules().keys() - self._outside.keys()

    def discard(self, name: str) -> None:
        """Forget the class registered under a name, if there is one."""
        with self._lock:
            self._classes.pop(name, None)
            self.changes += 1

    def describe(self, name: str) -> str:
        """Return the first line of the docstring of the module behind ``name``, read without importing it.

        A class that was registered by hand is there already: its own docstring comes before its module's.

        Returns:
            The line; ``"from PACKAGE"`` where there is none or the file cannot be found that way.

        Raises:
            UsageError: the name is unknown.
        """
        if (path := self._modules().get(name)) is not None:
            return described_file(path) or f"from {self.package}"
        if points := self._outside.get(name):
            return described_module(points[0].module) or f"from {_owner(points[0])}"
        cls = self._registered(name)
        if cls is None:
            raise self._unknown(name)
        return described_class(cls) or f"from {_place(cls.__module__)}"

    def source_of(self, name: str) -> Path | None:
        """Return the source file behind ``name``, which is not imported; None where none is found.

        Raises:
            UsageError: the name is unknown.
        """
        if (path := self._modules().get(name)) is not None:
            return path
        module = self.module_of(name)
        loaded = getattr(sys.modules.get(module), "__file__", None)
        return Path(loaded) if loaded is not None else file_of(module)

    def module_of(self, name: str) -> str:
        """Return the dotted name of the module behind ``name``, which is not imported.

        Raises:
            UsageError: the name is unknown.
        """
        if name in self._modules():
            return f"{self.package}.{name}"
        if points := self._outside.get(name):
            return points[0].module
        if (cls := self._registered(name)) is None:
            raise self._unknown(name)
        return cls.__module__

    def loaded(self, name: str) -> type[T] | None:
        """Return the class registered under ``name`` if its module is imported already, else None."""
        return self._registered(name)

    def get(self, name: str) -> type[T]:
        """Return the class registered under ``name``, its module imported if need be.

        Raises:
            UsageError: The name is unknown or taken twice, or its module does not register it.
            MmulbenchError: Its module cannot be imported.
        """
        self._refuse_collision(name)
        if (cls := self._registered(name)) is not None:
            return cls
        if (path := self._modules().get(name)) is not None:
            self._import(name, str(path), lambda: importlib.import_module(f"{self.package}.{name}"))
            return self._just_registered(name, str(path))
        if points := self._outside.get(name):
            point = points[0]
            source = f"{_owner(point)}, {point.value}"
            loaded = self._import(name, source, point.load)
            if point.attr:
                self._add(name, cast("type[object]", loaded))
            return self._just_registered(name, source)
        raise self._unknown(name)

    @cached_property
    def _outside(self) -> dict[str, list[EntryPoint]]:
        """Entry points by name; more than one of a name only where they differ."""
        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self._group):
            same_name = found.setdefault(point.name, [])
            if point.value not in (other.value for other in same_name):
                same_name.append(point)
        return found

    def _modules(self) -> dict[str, Path]:
        """Find the files of the built-in modules by name."""
        found = {}
        for location in _locations(self.package):
            for module in pkgutil.iter_modules([location]):
                if not module.name.startswith("_"):
                    file = f"{module.name}/__init__.py" if module.ispkg else f"{module.name}.py"
                    found[module.name] = Path(location) / file
        return found

    def _registered(self, name: str) -> type[T] | None:
        with self._lock:
            return self._classes.get(name)

    def _just_registered(self, name: str, source: str) -> type[T]:
        cls = self._registered(name)
        if cls is None:
            raise UsageError(
                f"{source} registers no {self.kind} {name!r}; decorate its class with "
                f'@{self.kind.upper()}S.register("{name}")'
            )
        return cls

    def _add(self, name: str, cls: type[object]) -> None:
        module, _, attribute = self._base.partition(":")
        base = getattr(importlib.import_module(module), attribute)
        if not (isinstance(cls, type) and issubclass(cls, base)):
            where = f"{cls.__module__}.{cls.__qualname__}" if isinstance(cls, type) else repr(cls)
            raise UsageError(f"{self.kind} {name!r}: {where} does not extend {module}.{attribute}")
        built_in = f"{self.package}.{name}"
        if cls.__module__ != built_in and name in self._modules():
            raise self._taken(name, built_in, _place(cls.__module__))
        if cls.__module__.startswith(PLUGIN_PREFIX) and (points := self._outside.get(name)):
            raise self._taken(name, f"{_owner(points[0])} ({points[0].value})", _place(cls.__module__))
        with self._lock:
            other = self._classes.get(name)
            if other is not None and _full_name(other) != _full_name(cls):
                raise self._taken(name, _place(other.__module__), _place(cls.__module__))
            self._classes[name] = cast("type[T]", cls)
            self.changes += 1

    def _import(self, name: str, source: str, load: Callable[[], object]) -> object:
        """Import without holding the lock: the import system has its own, and they could deadlock.

        Raises:
            MmulbenchError: the import fails.
        """
        try:
            return load()
        except MmulbenchError:
            raise
        except Exception as error:
            # The class may have been registered before its module failed.
            self.discard(name)
            from mmulbench.failure import OPEN, located

            raise MmulbenchError(
                f"{self.kind} {name!r} cannot be loaded from {source}: {located(error, OPEN)}"
            ) from error

    def _refuse_collision(self, name: str) -> None:
        owners = [f"{_owner(point)} ({point.value})" for point in self._outside.get(name, [])]
        if owners and name in self._modules():
            owners.insert(0, f"{self.package}.{name}")
        if len(owners) > 1:
            raise self._taken(name, owners[0], owners[1])

    def _taken(self, name: str, first: str, second: str) -> UsageError:
        return UsageError(
            f"{self.kind} {name!r} is registered by both {first} and {second}; rename or uninstall one"
        )

    def _unknown(self, name: str) -> UsageError:
        return UsageError(f"unknown {self.kind} {name!r}{did_you_mean(name, self.names())}")


def _full_name(cls: type[object]) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def _place(module: str) -> str:
    """Name a module as a user does: by its file where it is a plug-in."""
    return str(sys.modules[module].__file__) if module.startswith(PLUGIN_PREFIX) else module


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module.partition(".")[0]


def _locations(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    return list(spec.submodule_search_locations or []) if spec is not None else []


METHODS: Registry[Method] = Registry(
    "method", "mmulbench.core.method:Method", "mmulbench.methods", "mmulbench.methods"
)
TASKS: Registry[Task] = Registry("task", "mmulbench.core.task:Task", "mmulbench.tasks", "mmulbench.tasks")
BACKBONES: Registry[Backbone] = Registry(
    "backbone", "mmulbench.core.backbone:Backbone", "mmulbench.backbones", "mmulbench.backbones"
)
METRICS: Registry[Metric] = Registry(
    "metric", "mmulbench.core.metric:Metric", "mmulbench.metrics.catalogue", "mmulbench.metrics"
)

_REGISTRIES: tuple[Registry[Any], ...] = (METHODS, TASKS, BACKBONES, METRICS)


def registry_of(kind: str) -> Registry[Any]:
    """Return the registry of a kind: ``method``, ``task``, ``backbone`` or ``metric``."""
    return next(registry for registry in _REGISTRIES if registry.kind == kind)
