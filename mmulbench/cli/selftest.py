"""``mmulbench selftest``: what the benchmark itself says where the truth is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mmulbench import defaults
from mmulbench.cli.options import AsJson, Debug, Plugins

if TYPE_CHECKING:
    from mmulbench.selftest.trial import Statement
    from mmulbench.tables import WholeTable

selftest_app = typer.Typer(
    help="Try the benchmark itself on models of which the truth is known.", no_args_is_help=True
)


@selftest_app.callback()
def selftest() -> None:
    """Try the benchmark itself on models of which the truth is known."""


@selftest_app.command("metrics")
def metrics(plugin: Plugins = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Have metrics, verdict and ranking judge planted models; exit 1 where they are wrong."""
    raise typer.Exit(print_metrics(defaults.plugin_files(plugin), as_json=as_json))


def print_metrics(plugins: Sequence[Path], *, as_json: bool) -> int:
    """Print what is said of every planted model, beside what is true.

    Args:
        plugins: plug-in files, loaded first; their metrics are shown without judgement.
        as_json: print JSON.

    Returns:
        0, or 1 where something is wrong.

    Raises:
        MmulbenchError: a metric fails on a planted model.
    """
    from mmulbench.core.plugins import load_plugins
    from mmulbench.progress import make_progress
    from mmulbench.selftest.planted import PLANTED
    from mmulbench.selftest.trial import try_metrics

    load_plugins(plugins)
    with make_progress(bars=not as_json) as progress:
        statements = try_metrics(progress)
    wrong = [one for one in statements if one.holds is False]
    if as_json:
        models = {planted.name: planted.truth for planted in PLANTED}
        found = {"ok": not wrong, "models": models, "statements": [asdict(one) for one in statements]}
        print(json.dumps(found, indent=2))
    else:
        _print_tables({planted.name: planted.truth for planted in PLANTED}, statements)
        judged = sum(one.holds is not None for one in statements)
        print(f"\n{judged - len(wrong)} of {judged} statements are true.")
        for one in wrong:
            print(f"wrong: {one.measure} of {one.planted} is {one.found}, not {one.expected}")
    return int(bool(wrong))


def _print_tables(truths: dict[str, str], statements: Sequence[Statement]) -> None:
    from rich.text import Text

    from mmulbench.tables import show

    for name, truth in truths.items():
        table = _table([one for one in statements if one.planted == name])
        show("", Text.assemble((name, "bold"), f": {truth}"), table)


def _table(statements: Sequence[Statement]) -> WholeTable:
    from rich.text import Text

    from mmulbench.tables import Column, WholeTable

    columns = (Column("Measure"), Column("Expected", folds=True), Column("Found", folds=True), Column("OK"))
    table = WholeTable(columns)
    answers = {True: Text("yes"), False: Text("NO", style="bold"), None: Text("–")}
    for one in statements:
        table.add_row(one.measure, one.expected or "–", one.found, answers[one.holds])
    return table
