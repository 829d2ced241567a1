"""Answer what the parser refuses with what could be meant: names to choose from, or the right option."""

from __future__ import annotations

from typing import Any

from mmulbench.cli.completions import KINDS


def hint(error: Any) -> str:
    """Return what to add to the parser's words, such as the names to choose from; empty where nothing helps.

    Args:
        error: the parser's error, of whichever version of typer or click.
    """
    kind = type(error).__name__
    if kind == "MissingParameter":
        return _names(error)
    return _setting(error) if kind == "NoSuchOption" else ""


def _names(error: Any) -> str:
    """Name what the missing option or argument may be."""
    from mmulbench.core.registry import registry_of

    kind = str(getattr(error.param, "name", ""))
    group = error.ctx.parent.info_name if error.ctx.parent is not None else ""
    if kind == "name" and group != "new":  # of a command for one kind, such as `check method`, or for any
        kind = str(error.ctx.params.get("what") or error.ctx.info_name)
    if kind not in KINDS:
        return ""
    return f" Choose from: {', '.join(registry_of(kind).names())}"


def _setting(error: Any) -> str:
    """Say how settings are given, where the command takes any."""
    options = {name for parameter in error.ctx.command.params for name in parameter.opts}
    if "--set" not in options or not error.option_name.startswith("--"):
        return ""
    name = error.option_name.removeprefix("--").replace("-", "_")
    return f"; a setting is given as --set {name}=VALUE"
