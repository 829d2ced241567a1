"""Give every command of the app the same form of help: panels, examples, and a place in the list."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand
from typer.models import CommandInfo

from mmulbench.cli.examples import shown_examples
from mmulbench.cli.options import OUTPUT

SECTIONS = {
    "Runs": ("run", "evaluate", "tune"),
    "Records": ("show", "report", "export", "validate", "leaderboard", "compare", "plot", "schema"),
    "Sweeps": ("sweep", "status", "logs", "retry", "cancel"),
    "What there is": ("list", "describe", "data"),
    "Your own": ("new", "check", "selftest"),
}
"""Commands by the section of ``mmulbench --help`` that lists them, in its order."""


class Command(TyperCommand):
    """Shows ``--help`` in the last panel of options rather than in one of its own."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that prints help."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.rich_help_panel = OUTPUT
        return option


def dress(app: typer.Typer) -> None:
    """Give the commands of an app their order, sections and examples, when all are registered.

    Args:
        app: the app; its commands in groups are dressed as well.
    """
    order = [name for names in SECTIONS.values() for name in names]
    section_of = {name: section for section, names in SECTIONS.items() for name in names}
    app.registered_commands.sort(key=lambda one: _place(order, _name_of(one)))
    app.registered_groups.sort(key=lambda one: _place(order, str(one.name)))
    for command in app.registered_commands:
        command.rich_help_panel = section_of.get(_name_of(command))
    for group in app.registered_groups:
        group.rich_help_panel = section_of.get(str(group.name))
    _complete(app, "")
    for group in app.registered_groups:
        assert group.typer_instance is not None  # add_typer gives it
        _complete(group.typer_instance, f"{group.name} ")


def _complete(app: typer.Typer, before: str) -> None:
    for command in app.registered_commands:
        command.cls = Command
        command.epilog = shown_examples(f"{before}{_name_of(command)}")


def _name_of(command: CommandInfo) -> str:
    """Return the name of a command as it is typed."""
    return command.name or getattr(command.callback, "__name__", "").replace("_", "-")


def _place(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)
