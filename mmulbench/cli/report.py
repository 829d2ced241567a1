"""``mmulbench report``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli.options import (
    HOW,
    OUTPUT,
    AsJson,
    CacheDir,
    DataDir,
    Debug,
    Forget,
    ForgetWhere,
    Plugins,
    Results,
    path,
)


def report(
    record: Annotated[
        str | None,
        typer.Argument(
            help="Its path, the start of its id, or a name that only one record has; none for the site."
        ),
    ] = None,
    forget: Forget = None,
    forget_where: ForgetWhere = None,
    results_dir: Results = None,
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    plugin: Plugins = None,
    replace: Annotated[
        bool, typer.Option("--replace", rich_help_panel=HOW, help="Write over an earlier one.")
    ] = False,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", parser=path, rich_help_panel=OUTPUT, help="Folder of the pages."),
    ] = Path("report"),
    examples: Annotated[
        bool | None,
        typer.Option(
            "--examples/--no-examples",
            rich_help_panel=OUTPUT,
            help="Show some of what was forgotten. [for a record, not for the site]",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", rich_help_panel=OUTPUT, help="Exit 1 if the site differs from the records."),
    ] = False,
    show_ids: Annotated[
        bool,
        typer.Option(
            "--show-ids", rich_help_panel=OUTPUT, help="Name the ids on a list, if a record has them."
        ),
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the site of all results, or with a record the audit of that run, as static pages.

    The site has every table, its plots, and a page for each run. The audit is for who answers for a deletion:
    what was asked and done, whether the model forgot, and what is not known. A list or a condition that the
    run was given says which units may be shown as examples.
    """
    from mmulbench.cli.report_output import Choices, report_run, report_site

    choices = Choices(
        record=record,
        results=defaults.results_dir(results_dir),
        output=output,
        data_dir=defaults.data_dir(data_dir),
        cache_dir=defaults.cache_dir(cache_dir),
        forget=forget,
        forget_where=tuple(forget_where or ()),
        examples=examples,
        show_ids=show_ids,
        replace=replace,
        check=check,
        as_json=as_json,
        debug=debug,
    )
    choices.refuse_mixed()
    if plugins := defaults.plugin_files(plugin):
        from mmulbench.core.plugins import load_plugins

        load_plugins(plugins)
    if record is None:
        report_site(choices)
    else:
        report_run(choices, record)
