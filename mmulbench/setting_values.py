"""``--set key=value``: settings of a method, the task or the recipe, checked by type and range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from mmulbench.errors import UsageError, did_you_mean

T = TypeVar("T")


class Overrides:
    """Holds what was set, by target.

    ``recipe.epochs=5`` sets the recipe, ``task.limit=200`` the task, ``mmul.lr=1e-4`` one method, and a bare
    ``lr=1e-4`` every chosen method.

    Args:
        items: ``key=value`` texts.
        methods: names of the chosen methods.

    Raises:
        UsageError: An item has no ``=``, is given twice, names a target that is not there, or none where no
            method is chosen.
    """

    def __init__(self, items: Sequence[str], methods: Sequence[str]) -> None:
        self._methods = list(methods)
        self._values: dict[str, dict[str, str]] = {name: {} for name in ("task", "recipe", *methods)}
        for item in items:
            key, equals, value = item.partition("=")
            key = key.strip()
            if not equals or not key:
                raise UsageError(f"--set {item!r} is not key=value, such as --set epochs=5")
            target, dot, name = key.rpartition(".")
            if dot and target not in self._values:
                raise UsageError(
                    f"--set {key}: unknown target {target!r}{did_you_mean(target, self._values)}"
                )
            if not dot and not self._methods:
                raise UsageError(f"--set {key}: no method is run here: write task.{key} or recipe.{key}")
            for place in [target] if dot else self._methods:
                if self._values[place].setdefault(name, value) != value:
                    raise UsageError(f"--set {key} is given twice with different values")

    def task(self, default: T) -> T:
        """Return the task's configuration with what was set."""
        return self._apply("task", default)

    def recipe(self, default: T) -> T:
        """Return the recipe with what was set."""
        return self._apply("recipe", default)

    def method(self, name: str, default: T) -> T:
        """Return a method's configuration with what was set.

        Args:
            name: name of the method.
            default: configuration to start from.
        """
        return self._apply(name, default)

    def _apply(self, target: str, default: T) -> T:
        """Replace fields of a configuration.

        Raises:
            UsageError: A field is unknown, a type is wrong, or a value is out of range.
        """
        given = self._values[target]
        known = [field.name for field in fields(default)]  # type: ignore[arg-type]
        for name in given:
            if name not in known:
                where = target if target in ("task", "recipe") else f"method {target}"
                hint = did_you_mean(name, known) if known else f"; {where} has no settings"
                raise UsageError(f"--set {_key(target, name)}: {where} has no such setting{hint}")
        return validated(default, given, target) if given else default


def validated(default: T, given: Mapping[str, Any], target: str) -> T:
    """Return a configuration with fields replaced by values given as text.

    Args:
        default: configuration, a dataclass with checked fields.
        given: values by field.
        target: ``task``, ``recipe`` or the name of a method, for the message.

    Raises:
        UsageError: A type is wrong or a value is out of range; the message says what is allowed.
    """
    current = {field.name: getattr(default, field.name) for field in fields(default)}  # type: ignore[arg-type]
    try:
        checked = TypeAdapter(type(default)).validate_python({**current, **given})
    except ValidationError as error:
        first = error.errors()[0]
        names = [str(part) for part in first["loc"][:1]] or list(given)
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{_settings(given, names, target)}: {message[:1].lower()}{message[1:]}") from error
    for name in given:
        value = getattr(checked, name)
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{_settings(given, [name], target)}: input should be a finite number")
    return replace(default, **{name: getattr(checked, name) for name in given})  # type: ignore[type-var]


def _settings(given: Mapping[str, Any], names: Sequence[str], target: str) -> str:
    return " ".join(f"--set {_key(target, name)}={given.get(name, '')}" for name in names)


def _key(target: str, name: str) -> str:
    return f"{target}.{name}" if target in ("task", "recipe") else name
