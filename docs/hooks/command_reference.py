"""Write the reference of the command line by walking the typer app: every command, argument and option."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import typer

from mmulbench.cli.app import app
from mmulbench.cli.examples import EXAMPLES

HELP = {"--help", "-h"}

PAGES = {
    "run": "[Getting started](../getting-started.md), [Watching losses](../tutorials/logging.md)",
    "tune": "[Tuning](../tutorials/tuning.md)",
    "sweep": "[Sweeps](../tutorials/sweeps.md), [A Slurm cluster](../tutorials/cluster.md)",
    "status": "[Sweeps](../tutorials/sweeps.md)",
    "logs": "[Sweeps](../tutorials/sweeps.md)",
    "retry": "[Sweeps](../tutorials/sweeps.md)",
    "cancel": "[Sweeps](../tutorials/sweeps.md)",
    "list": "[Methods](methods.md), [Tasks](tasks.md), [Backbones](backbones.md), [Metrics](metrics.md)",
    "describe": "[Methods](methods.md), [Tasks](tasks.md), [Backbones](backbones.md), [Metrics](metrics.md)",
    "show": "[Records](../records.md)",
    "validate": "[Records](../records.md)",
    "report": "[The report of a run](../report.md), [The site of all results](../site.md)",
    "leaderboard": "[Records](../records.md)",
    "compare": "[Comparing two methods](../concepts/comparing.md)",
    "plot": "[Records](../records.md)",
    "schema": "[Records](../records.md)",
    "data info": "[Your own data](../tutorials/own-data.md)",
    "data check": "[Your own data](../tutorials/own-data.md)",
    "data prepare": "[Your own data](../tutorials/own-data.md)",
    "new method": "[Your own method](../tutorials/own-method.md)",
    "new task": "[Your own task](../tutorials/own-task.md)",
    "new metric": "[Your own metric](../tutorials/own-metric.md)",
    "check method": "[Your own method](../tutorials/own-method.md)",
    "check task": "[Your own task](../tutorials/own-task.md)",
    "check backbone": "[Your own backbone](../tutorials/own-backbone.md)",
    "check metric": "[Your own metric](../tutorials/own-metric.md)",
}
"""Pages that explain a command, by its name."""


def command_reference() -> str:
    """Return one section for each command, with its usage, its arguments and its options."""
    first_run = sorted(commands(), key=lambda one: one[0] != "run")
    return "\n".join(_section(name, command) for name, command in first_run)


def commands() -> Iterator[tuple[str, typer.core.TyperCommand]]:
    """Yield every command with its full name; those of a group as ``group command``."""
    for name, command in vars(typer.main.get_command(app))["commands"].items():
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            yield from ((f"{name} {key}", value) for key, value in inner.items())


def options(command: typer.core.TyperCommand) -> set[str]:
    """Return the spellings of a command's options, long and short, without those that print help."""
    return {
        spelling
        for parameter in command.params
        for spelling in (*parameter.opts, *parameter.secondary_opts)
        if spelling.startswith("-") and spelling not in HELP
    }


def _section(name: str, command: typer.core.TyperCommand) -> str:
    assert command.callback is not None
    hints = typing.get_type_hints(inspect.unwrap(command.callback))
    arguments: list[typing.Any] = [one for one in command.params if not one.opts[0].startswith("-")]
    known = [one for one in command.params if one.opts[0].startswith("-") and not HELP & {*one.opts}]
    required = [f"{one.opts[0]} {_value(one, hints)}" for one in known if one.required]
    usage = ["mmulbench", name, *required, "[OPTIONS]", *(_argument(one) for one in arguments)]
    lines = [f"## mmulbench {name}", "", command.help or "", "", "```text", " ".join(usage), "```", ""]
    explained = [one for one in arguments if one.help]
    if explained:
        lines += ["| Argument | Meaning |", "| --- | --- |"]
        lines += [f"| `{_argument(one)}` | {_cell(one.help)} |" for one in explained]
        lines += [""]
    lines += ["| Option | Meaning |", "| --- | --- |"] if known else []
    lines += [_row(one, hints) for one in known]
    lines += ["", "```text", *EXAMPLES.get(name, ()), "```"]
    if name in PAGES:
        lines += ["", f"See {PAGES[name]}."]
    return "\n".join([*lines, ""])


def _argument(parameter: typing.Any) -> str:
    name = (parameter.metavar or parameter.name.upper()).strip("[]")
    return name if parameter.required else f"[{name}]"


def _row(parameter: typing.Any, hints: dict[str, typing.Any]) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = _value(parameter, hints)
    notes = [_in_words(parameter.help or "")]
    if parameter.required:
        notes.append("Required.")
    default = parameter.default
    if not parameter.required and default is not None and default is not False and default != ():
        notes.append(f"By default `{default.value if isinstance(default, Enum) else default}`.")
    return f"| {names}{f' `{value}`' if value else ''} | {_cell(' '.join(notes))} |"


def _in_words(text: str) -> str:
    """Return an option's help with what ``--help`` abbreviates at its end, the default, in words."""
    text = re.sub(r"\(env (\w+), (\S+)\)", r"By default `$\1`, else `\2`.", text)
    text = re.sub(r"\(env (\w+)\)", r"More in `$\1`.", text)
    return re.sub(r"\[([^\]]+)\]$", r"By default \1.", text)


def _value(parameter: typing.Any, hints: dict[str, typing.Any]) -> str:
    """Return what an option takes: its choices, or the kind of value; nothing for a flag."""
    leaves = list(_leaves(hints[parameter.name]))
    if parameter.metavar:
        return str(parameter.metavar)
    for leaf in leaves:
        if isinstance(leaf, type) and issubclass(leaf, Enum):
            return "|".join(str(member.value) for member in leaf)
    if bool in leaves:
        return ""
    kinds = {Path: "PATH", int: "NUMBER", float: "NUMBER", str: "TEXT"}
    return next((kinds[leaf] for leaf in leaves if leaf in kinds), "VALUE")


def _leaves(hint: typing.Any) -> Iterator[typing.Any]:
    inner = typing.get_args(hint)
    if not inner:
        yield hint
    for one in inner:
        yield from _leaves(one)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
