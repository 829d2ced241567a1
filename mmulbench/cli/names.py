"""Read options that name several things: with commas, repeated, or ``all``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.cli.completions import ALL
from mmulbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from mmulbench.sweeps.grid import Grid


def several(given: Iterable[str] | None, option: str) -> tuple[str, ...]:
    """Return the names of an option, in their order and each once.

    Args:
        given: values of the option, each with one name or with several between commas.
        option: the option, for the message.

    Raises:
        UsageError: There is a comma without a name beside it.
    """
    names: list[str] = []
    for text in given or ():
        parts = [part.strip() for part in text.split(",")]
        if len(parts) > 1 and "" in parts:
            raise UsageError(f"{option} {text!r} lacks a name beside a comma; write {option} a,b")
        names += parts
    return tuple(dict.fromkeys(names))


def by_field(given: Iterable[str] | None, option: str, fields: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of an option by the field that each is of.

    Args:
        given: values of the option, each ``field=value``, or with several values between commas.
        option: the option, for the message.
        fields: fields that there are.

    Raises:
        UsageError: There is no such field, or no value.
    """
    known = list(fields)
    found: dict[str, list[str]] = {}
    for text in given or ():
        name, _, values = (part.strip() for part in text.partition("="))
        if not name or not values:
            raise UsageError(f"{option} {text!r} is no choice; write {option} seed=42, or seed=42,87")
        if name not in known:
            raise UsageError(f"{option} {text}: there is no such field{did_you_mean(name, known)}")
        found.setdefault(name, []).extend(several([values], option))
    return found


def seeds(given: Iterable[str] | None) -> tuple[int, ...]:
    """Return the seeds of an option, in their order and each once.

    Args:
        given: values of the option, each with one seed or with several between commas.

    Raises:
        UsageError: One is no whole number.
    """
    texts = several(given, "--seed")
    for text in texts:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()):
            raise UsageError(f"--seed {text!r} is no whole number; write --seed 42, or 42,87 for several")
    return tuple(dict.fromkeys(map(int, texts)))


def one_task(given: str, command: str) -> str:
    """Return the only task of an option.

    Args:
        given: value of the option.
        command: the command that takes one task.

    Raises:
        UsageError: There are several.
    """
    if "," in given:
        raise UsageError(
            f"--task {given!r} names several tasks, and {command} takes one; "
            "mmulbench sweep takes several, and all options of run"
        )
    return given


def methods_of_run(given: Sequence[str], task: str, plugins: Sequence[Path]) -> tuple[str, ...]:
    """Return the methods that a run names.

    Args:
        given: values of the option; ``all`` stands for every method that applies to the task, except
            retrain by further training seeds, which is asked for by its name.
        task: registered name of the task.
        plugins: plug-in files, loaded first.

    Raises:
        UsageError: A name is missing, or the task is unknown.
    """
    names = several(given, "--method")
    return _without_all(names, (task,), plugins) if ALL in names else names


def with_all_methods(grid: Grid, plugins: Sequence[Path]) -> Grid:
    """Return a grid in which ``all`` is replaced by the methods that apply to one of its tasks.

    Args:
        grid: the grid of a sweep.
        plugins: plug-in files, loaded first.

    Raises:
        UsageError: A task is unknown.
    """
    if ALL not in grid.method:
        return grid
    return grid.model_copy(update={"method": _without_all(grid.method, grid.task, plugins)})


def _without_all(names: Sequence[str], tasks: Sequence[str], plugins: Sequence[Path]) -> tuple[str, ...]:
    """Put the methods that apply to one of the tasks in the place of ``all``."""
    from mmulbench.core.plugins import load_plugins
    from mmulbench.core.registry import METHODS, TASKS

    load_plugins(plugins)
    configured = [TASKS.get(name)() for name in tasks]
    classes = {name: METHODS.get(name) for name in METHODS.names()}
    found = [
        name
        for name, cls in classes.items()
        if not cls.is_noise_floor and any(cls.applies_to(task) is None for task in configured)
    ]
    expanded = [other for name in names for other in (found if name == ALL else [name])]
    return tuple(dict.fromkeys(expanded))
