"""Complete registered names for the shell, which asks at every press of a key: nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import typer

ALL = "all"
"""Word that stands for every method that applies."""

Found = list[tuple[str, str]]
"""Words to choose from, each with what it means."""

KINDS = ("method", "task", "backbone", "metric")
"""Kinds of what is registered."""


def task(incomplete: str) -> Found:
    """Complete the name of a task."""
    return _starting(incomplete, _described("task"))


def tasks(incomplete: str) -> Found:
    """Complete the last of several tasks with commas between them."""
    return _last_of_several(incomplete, _described("task"))


def method(incomplete: str) -> Found:
    """Complete the name of one method."""
    return _starting(incomplete, _described("method"))


def methods(incomplete: str) -> Found:
    """Complete the last of several methods with commas between them."""
    every = (ALL, "every method that applies to the task")
    return _last_of_several(incomplete, [*_described("method"), every])


def metric(incomplete: str) -> Found:
    """Complete the name of one metric."""
    return _starting(incomplete, _described("metric"))


def metrics(incomplete: str) -> Found:
    """Complete the last of several metrics with commas between them."""
    return _last_of_several(incomplete, _described("metric"))


def loggers(incomplete: str) -> Found:
    """Complete the last of several loggers with commas between them."""
    from mmulbench.loggers.choice import LOGGERS

    return _last_of_several(incomplete, [(name, "") for name in LOGGERS])


def figures(incomplete: str) -> Found:
    """Complete the last of several figures with commas between them."""
    from mmulbench.report.plots import FIGURES

    return _last_of_several(incomplete, [(name, "") for name in FIGURES])


def family(incomplete: str) -> Found:
    """Complete the name of a family of backbones."""
    return _starting(incomplete, _described("backbone"))


def backbone(incomplete: str) -> Found:
    """Complete a backbone: its family, or family and variant."""
    return _starting(incomplete, _backbones())


def name_of_kind(context: typer.Context, incomplete: str) -> Found:
    """Complete the name of what the argument before it, ``what``, says."""
    kind = str(context.params.get("what") or "")
    return _starting(incomplete, _described(kind)) if kind in KINDS else []


def _described(kind: str) -> Iterator[tuple[str, str]]:
    from mmulbench.core.registry import registry_of

    registry = registry_of(kind)
    for name in registry.names():
        yield name, registry.describe(name)


def _backbones() -> Iterator[tuple[str, str]]:
    from mmulbench.core.descriptions import described_variants
    from mmulbench.core.registry import BACKBONES

    for name, text in _described("backbone"):
        yield name, text
        path = BACKBONES.source_of(name)
        for variant in described_variants(path) if path is not None else ():
            yield f"{name}:{variant}", text


def _starting(incomplete: str, words: Iterable[tuple[str, str]]) -> Found:
    return [(word, meaning) for word, meaning in words if word.startswith(incomplete)]


def _last_of_several(incomplete: str, words: Iterable[tuple[str, str]]) -> Found:
    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",")
    return [
        (f"{before}{comma}{word}", meaning) for word, meaning in _starting(last, words) if word not in taken
    ]
