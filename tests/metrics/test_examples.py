"""Every public function on arrays has an example in its docstring, and what the example says is true."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

from mmulbench import metrics

MODULES = [found.name for found in pkgutil.iter_modules(metrics.__path__) if not found.ispkg]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    module = importlib.import_module(f"mmulbench.metrics.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_has_an_example(name):
    module = importlib.import_module(f"mmulbench.metrics.{name}")
    functions = [
        function
        for key, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not key.startswith("_")
    ]
    assert functions
    assert [one.__name__ for one in functions if ">>>" not in (one.__doc__ or "")] == []
