"""What is read of sources is what an import gives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, fields

import pytest
from pydantic import TypeAdapter, ValidationError

from mmulbench.core import declared as declared_module
from mmulbench.core.declared import declared, declared_keys
from mmulbench.core.registry import BACKBONES, METHODS, TASKS
from mmulbench.errors import UsageError

BUILT_IN = [
    *((METHODS, name) for name in METHODS.names()),
    *((TASKS, name) for name in TASKS.names()),
]


def read(registry, name, attribute):
    return declared_module._read(registry.module_of(name), name, attribute)


@pytest.mark.parametrize(("registry", "name"), BUILT_IN)
def test_settings_are_read_as_they_are(registry, name):
    found, real = read(registry, name, "Config"), registry.get(name).Config
    assert asdict(found()) == asdict(real())
    assert [field.name for field in fields(found)] == [field.name for field in fields(real)]
    schema, wanted = (TypeAdapter(one).json_schema() for one in (found, real))
    assert {**schema, "description": ""} == {**wanted, "description": ""}


@pytest.mark.parametrize("name", TASKS.names())
def test_recipes_and_utilities_are_read_as_they_are(name):
    real = TASKS.get(name)
    assert asdict(read(TASKS, name, "recipe")) == asdict(real.recipe)
    assert read(TASKS, name, "utility") == real.utility


@pytest.mark.parametrize("name", BACKBONES.names())
def test_variants_are_read_as_they_are(name):
    assert list(declared_keys(BACKBONES, name, "variants")) == list(BACKBONES.get(name).variants)


def test_validators_are_read_too():
    adapter = TypeAdapter(read(METHODS, "mmul", "Config"))
    with pytest.raises(ValidationError, match="a batch needs 2 pairs"):
        adapter.validate_python({"batch_size": 1})
    with pytest.raises(ValidationError, match="limit must be 0"):
        TypeAdapter(read(TASKS, "emoji", "Config")).validate_python({"limit": 3})


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from mmulbench.core.declared import declared, declared_keys; "
        "from mmulbench.core.registry import BACKBONES, METHODS, TASKS; "
        "[declared(METHODS, name, 'Config')() for name in METHODS.names()]; "
        "[declared(TASKS, name, one) for name in TASKS.names() for one in ('Config', 'recipe')]; "
        "[declared_keys(BACKBONES, name, 'variants') for name in BACKBONES.names()]; "
        "print({'torch', 'sklearn', 'scipy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_no_source_says_is_imported():
    assert declared(METHODS, "mmul", "is_reference") is False
    with pytest.raises(AttributeError):
        declared(METHODS, "mmul", "nothing")


def test_an_unknown_name_is_wrong_use():
    with pytest.raises(UsageError, match="unknown method 'mnul'; did you mean mmul"):
        declared(METHODS, "mnul", "Config")
