"""Define the command ``export``: the unlearned model of a record, made again where it is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmulbench import defaults
from mmulbench.cli.options import (
    CacheDir,
    DataDir,
    Debug,
    Device,
    Forget,
    Plugins,
    Quiet,
    Results,
    path,
)

RecordName = Annotated[str, typer.Argument(help="Its path, or the start of its id.")]


def export(
    record: RecordName,
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", parser=path, help="Where to; it must not be there yet."),
    ],
    forget: Forget = None,
    data_dir: DataDir = None,
    results_dir: Results = None,
    cache_dir: CacheDir = None,
    plugin: Plugins = None,
    device: Device = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the unlearned model of a record, in its family's own format, with a model card."""
    from mmulbench.handover.again import export_again, request_of
    from mmulbench.progress import make_progress
    from mmulbench.records.lookup import find_record
    from mmulbench.records.store import folder_of_store, read_record
    from mmulbench.runs.request import RunOptions

    results = defaults.results_dir(results_dir)
    place = find_record(record, results)
    found = read_record(place)
    options = RunOptions(
        device=device,
        data_dir=defaults.data_dir(data_dir),
        results_dir=folder_of_store(place, found) or results,
        cache_dir=defaults.cache_dir(cache_dir),
        plugins=defaults.plugin_files(plugin),
        checkpoint_seconds=defaults.checkpoint_seconds(),
    )
    request = request_of(found, options, forget)
    export_again(found, request, folder, make_progress(bars=not quiet, debug=debug))
    print(folder)
