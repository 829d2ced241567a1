"""``mmulbench report``: its options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from mmulbench.errors import UsageError
from mmulbench.plain_text import visible

if TYPE_CHECKING:
    from mmulbench.audit.contents import Sources


def report(
    record: Annotated[
        str, typer.Argument(help="Its path, the start of its id, or a name that only one record has.")
    ],
    forget: Forget = None,
    forget_where: ForgetWhere = None,
    results_dir: Results = None,
    data_dir: DataDir = None,
    cache_dir: CacheDir = None,
    plugin: Plugins = None,
    replace: Annotated[
        bool, typer.Option("--replace", rich_help_panel=HOW, help="Write over an earlier report.")
    ] = False,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", parser=path, rich_help_panel=OUTPUT, help="Folder of the page."),
    ] = Path("report"),
    no_examples: Annotated[
        bool,
        typer.Option("--no-examples", rich_help_panel=OUTPUT, help="Show nothing of what was forgotten."),
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
    """Write the audit of one run: a page for who answers for a deletion, to be read or printed.

    It says what was asked and done, whether the model forgot, and what is not known. A list or a condition
    that the run was given says which units may be shown as examples.
    """
    from mmulbench.audit.folder import refuse_filled, write_report
    from mmulbench.audit.gather import Choices, gather_audit
    from mmulbench.audit.page import page_of
    from mmulbench.records.lookup import find_record

    if no_examples and (forget or forget_where):
        raise UsageError(
            "--no-examples: what was forgotten is named for examples alone: leave out one of both"
        )
    refuse_filled(output, replace=replace)
    file = find_record(record, defaults.results_dir(results_dir))
    if plugins := defaults.plugin_files(plugin):
        from mmulbench.core.plugins import load_plugins

        load_plugins(plugins)
    sources = None
    if not no_examples:
        sources = _sources(forget, forget_where, data_dir, cache_dir, bars=not as_json, debug=debug)
    audit = gather_audit(file, Choices(show_ids, sources))
    written = write_report(output, page_of(audit))
    if as_json:
        print(json.dumps({"path": str(written), **audit.as_json()}, indent=2))
        return
    print(visible(str(written)))


def _sources(
    forget: str | None,
    where: list[str] | None,
    data_dir: Path | None,
    cache_dir: Path | None,
    *,
    bars: bool,
    debug: bool,
) -> Sources:
    """Say where the data of the examples are."""
    from mmulbench.audit.contents import Sources
    from mmulbench.progress import make_progress
    from mmulbench.runs.forget_list import parse_request

    return Sources(
        defaults.data_dir(data_dir),
        defaults.cache_dir(cache_dir),
        parse_request(forget, where or (), None),
        make_progress(bars=bars, debug=debug),
    )
