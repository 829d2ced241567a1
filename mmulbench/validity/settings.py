"""Check that a record's settings are ones that its method, task and backbone take."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mmulbench.core.declared import declared, declared_keys
from mmulbench.core.plugins import plugin_of
from mmulbench.core.registry import BACKBONES, METHODS, TASKS, Registry
from mmulbench.core.run_code import changed_code, code_of_run
from mmulbench.errors import MmulbenchError
from mmulbench.records.schema import RunResult, RunSpec, Scalar
from mmulbench.validity.findings import Finding, shown

CHECKPOINT = re.compile(r".+@[0-9a-f]{12}")
"""Variants that are published weights: any name, with the digest of their content."""

MISSING = "is missing"

Outcome = tuple[tuple[str, str, str], ...]
"""By fault: name of the setting, what is wrong, what it should be."""


def check_settings(record: RunResult) -> Iterator[Finding]:
    """Yield the settings that are not legal, and the names of which nothing is known here.

    A record that was made by other code of its method or task may have other settings than today's. A setting
    that it lacks may have come since, also to all methods or recipes, whose code records do not know.

    Args:
        record: the record.
    """
    found = list(_check(record.spec))
    changed = changed_kinds(record) if any(one.is_fault for one in found) else []
    for one in found:
        if one.is_fault and changed:
            yield Finding(one.field, f"it {one.wrong}, made by other code of {' and '.join(changed)}")
        elif one.wrong == MISSING:
            yield Finding(one.field, "it was perhaps not there yet when the record was made")
        else:
            yield one


def changed_kinds(record: RunResult) -> list[str]:
    """Return of which of method, task and backbone the code is another today; of none that is unknown.

    Args:
        record: the record.
    """
    spec = record.spec
    try:
        return changed_code(
            record.code, code_of_run(METHODS.module_of(spec.method), spec.task, spec.backbone)
        )
    except MmulbenchError:
        return []


def _check(spec: RunSpec) -> Iterator[Finding]:
    places: tuple[tuple[Registry[Any], str, str, str, Mapping[str, Scalar]], ...] = (
        (METHODS, spec.method, "Config", "config", spec.config),
        (TASKS, spec.task, "Config", "task_config", spec.task_config),
        (TASKS, spec.task, "recipe", "recipe", spec.recipe),
    )
    for registry, name, attribute, field, settings in places:
        if reason := _unknown(registry, name, spec):
            if attribute == "Config":
                yield Finding(f"spec.{registry.kind}", reason)
            continue
        for setting, wrong, expected in _faults(
            registry, name, attribute, tuple(settings.items()), registry.changes
        ):
            yield Finding(f"spec.{field}.{setting}", wrong, expected)
    yield from _check_backbone(spec)


def _check_backbone(spec: RunSpec) -> Iterator[Finding]:
    family, _, variant = spec.backbone.partition(":")
    if reason := _unknown(BACKBONES, family, spec):
        yield Finding("spec.backbone", reason)
    elif CHECKPOINT.fullmatch(variant) is None:
        variants = _variants(family, BACKBONES.changes)
        if variant not in variants:
            yield Finding("spec.backbone", f"is {shown(spec.backbone)}", f"{family}:{' or '.join(variants)}")


def _unknown(registry: Registry[Any], name: str, spec: RunSpec) -> str:
    """Return why nothing is known here of a name; empty where it is known."""
    digest = spec.plugins.get(name)
    loaded = plugin_of(registry.kind, name)
    if digest is not None and (loaded is None or loaded.digest != digest):
        return f"{registry.kind} {shown(name)} is of a plug-in file that is not loaded (--plugin FILE)"
    if not _is_registered(registry, name, registry.changes):
        return f"{registry.kind} {shown(name)} is not known here"
    return ""


@functools.lru_cache(maxsize=4096)
def _is_registered(registry: Registry[Any], name: str, changes: int) -> bool:
    return name in registry.names()


@functools.lru_cache(maxsize=256)
def _variants(family: str, changes: int) -> tuple[str, ...]:
    return declared_keys(BACKBONES, family, "variants")


@functools.lru_cache(maxsize=256)
def _adapter(
    registry: Registry[Any], name: str, attribute: str, changes: int
) -> tuple[Any, TypeAdapter[Any]]:
    """Return the default settings that a class declares, and what checks others."""
    found = declared(registry, name, attribute)
    default = found() if isinstance(found, type) else found
    return default, TypeAdapter(type(default))


@functools.lru_cache(maxsize=16384)
def _faults(
    registry: Registry[Any], name: str, attribute: str, settings: tuple[tuple[str, Scalar], ...], changes: int
) -> Outcome:
    """Return the faults of settings, each with its name; the same settings are checked once."""
    default, adapter = _adapter(registry, name, attribute, changes)
    known, given = {field.name for field in fields(default)}, dict(settings)
    odd = [
        (one, "is no setting of it", ", ".join(sorted(known)) or "absent")
        for one in given
        if one not in known
    ]
    odd += [(one, MISSING, f"there, such as {getattr(default, one)}") for one in known if one not in given]
    try:
        checked = adapter.validate_python({one: value for one, value in settings if one in known})
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            one = str(fault["loc"][0]) if fault["loc"] else "all"
            odd.append((one, f"is {shown(given.get(one))}", str(fault["msg"]).removeprefix("Value error, ")))
        return tuple(odd)
    for one in known & given.keys():
        wanted = getattr(checked, one)
        if type(wanted) is not type(given[one]) or wanted != given[one]:
            odd.append((one, f"is {given[one]!r}", repr(wanted)))
    return tuple(odd)
