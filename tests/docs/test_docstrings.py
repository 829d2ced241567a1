"""Docstrings say what a reader needs: public functions with two or more arguments explain each of them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType

import pytest

ROOMS: tuple[str, ...] = (
    "audit",
    "backbones",
    "cache",
    "conformance",
    "core",
    "evaluation",
    "methods",
    "metrics",
    "records",
    "report",
    "runs",
    "selftest",
    "site",
    "sweeps",
    "tasks",
    "tuning",
)


def functions_of(room: str) -> Iterator[tuple[str, FunctionType]]:
    """Public functions and methods of a room; not those that take over the contract of a base class."""
    package = importlib.import_module(f"mmulbench.{room}")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            if inspect.isfunction(value):
                yield f"{module.__name__}.{name}", value
            elif inspect.isclass(value):
                for inner, member in vars(value).items():
                    function = getattr(member, "__func__", member)
                    inherited = any(inner in vars(base) for base in value.__mro__[1:])
                    if inspect.isfunction(function) and not inner.startswith("_") and not inherited:
                        yield f"{module.__name__}.{name}.{inner}", function


def arguments(function: FunctionType) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


@pytest.mark.parametrize("room", ROOMS)
def test_functions_of_several_arguments_explain_them(room):
    bare = [
        name
        for name, function in functions_of(room)
        if len(arguments(function)) > 1 and "Args:" not in (function.__doc__ or "")
    ]
    assert not bare


@pytest.mark.parametrize("room", ROOMS)
def test_all_arguments_are_explained(room):
    """What D417 of ruff asks, for dataclass-like signatures too: an Args section leaves out no argument."""
    incomplete = [
        f"{name}: {argument}"
        for name, function in functions_of(room)
        if "Args:" in (function.__doc__ or "")
        for argument in arguments(function)
        if f"{argument}:" not in (function.__doc__ or "")
    ]
    assert not incomplete
