"""Print and write what the commands about runs and records make."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.core.reproduce import command_of, commands_of_added
from mmulbench.plain_text import visible
from mmulbench.progress import make_progress
from mmulbench.records.folders import with_folders
from mmulbench.records.printable import printable
from mmulbench.records.store import read_record
from mmulbench.report import summary
from mmulbench.report.comparison import comparison_table
from mmulbench.report.surroundings import changed_since, floor_beside
from mmulbench.runs.request import Request, RunOptions
from mmulbench.tables import show, show_line
from mmulbench.validity.record import faults

if TYPE_CHECKING:
    from mmulbench.handover.added import Asked
    from mmulbench.runs.pipeline import StoredRecord


def run_and_print(
    request: Request, *, as_json: bool, quiet: bool, debug: bool = False, save_to: Path | None = None
) -> int:
    """Make the runs of a request and show each as it ends; several are compared at the end.

    Args:
        request: options of the command.
        as_json: whether to print JSON, at the end.
        quiet: whether to print the paths of records alone.
        debug: whether to print the traceback of a run that fails.
        save_to: folder that the unlearned models are written to; None where they are not kept.

    Returns:
        0, or 1 if any run failed or diverged, or left the better record of an earlier try in its place.
    """
    from mmulbench.runs.session import run_session  # torch is not for the commands that read records

    progress = make_progress(bars=not (quiet or as_json), debug=debug)
    records = []
    deliver = None
    if save_to is not None:
        from mmulbench.handover.save import ModelFolder

        folder = ModelFolder(save_to, several=len(request.methods) * len(request.seeds) > 1)
        folder.check()
        deliver = folder.deliver
    for record in run_session(request, progress, deliver):
        records.append(record)
        if quiet or as_json:
            _say_what_went_wrong(record)
        if not record.is_new:
            progress.note(f"found the record of this run (--overwrite always makes it again): {record.path}")
        if quiet and not as_json:
            print(record.path)
        elif not as_json:
            _print_record(record)
    if len(records) > 1 and not (quiet or as_json):
        show("", comparison_table([record.result for record in records]))
    if as_json:
        print(json.dumps([record.result.model_dump(mode="json") for record in records], indent=2))
    return int(not all(record.is_well for record in records))


def evaluate_and_print(
    request: Request,
    model: tuple[str, str, float | None, float | None],
    *,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    """Judge a model that was made elsewhere, and show its record.

    Args:
        request: options of the command.
        model: place of the model, name of its method, seconds and FLOPs as far as they are known.
        as_json: whether to print JSON.
        quiet: whether to print the path of the record alone.
        debug: whether to print the traceback of a run that fails.

    Returns:
        0, or 1 if it could not be judged.
    """
    from mmulbench.runs.outside import OutsideModel, judge_outside

    progress = make_progress(bars=not (quiet or as_json), debug=debug)
    record = judge_outside(request, OutsideModel(*model), progress)
    if quiet or as_json:
        _say_what_went_wrong(record)
    if as_json:
        print(json.dumps(record.result.model_dump(mode="json"), indent=2))
    elif quiet:
        print(record.path)
    else:
        _print_record(record)
    return int(not record.is_well)


def add_and_print(place: Path, options: RunOptions, asked: Asked, *, as_json: bool, quiet: bool) -> int:
    """Add the values of further metrics to a record, and show it.

    Args:
        place: file of the record.
        options: where things are.
        asked: what is to be added.
        as_json: whether to print JSON.
        quiet: whether to print the path of the record alone.

    Returns:
        0.
    """
    from mmulbench.handover.added import add_values

    record = add_values(place, options, asked, make_progress(bars=not (quiet or as_json)))
    if as_json:
        print(json.dumps(record.result.model_dump(mode="json"), indent=2))
    elif quiet:
        print(record.path)
    else:
        _print_record(record)
    return 0


def _say_what_went_wrong(record: StoredRecord) -> None:
    """Say on standard error why a run is not well: without its table nothing else does."""
    if not record.is_well:
        result = printable(record.result)
        print(f"mmulbench: seed {result.spec.seed}: {summary.verdict(result)}", file=sys.stderr)


def _print_record(record: StoredRecord) -> None:
    result = printable(record.result)
    show("", *([summary.summary_table(result)] if result.values else []))
    floor = floor_beside(record.result, record.path)
    show(summary.verdict(result, floor))
    show_line(*(f"  {frame}" for frame in result.trace))
    show(*(f"Missing: {missing}" for missing in result.missing))
    kept = "" if record.kept is None else ", of an earlier try, which is done and stays"
    show_line(f"Record: {visible(str(record.path))}{kept}")


def show_record(path: Path, *, as_json: bool) -> int:
    """Print one record, with the command that follows from it, not the one in its file.

    Args:
        path: file of the record.
        as_json: whether to print JSON.

    Returns:
        0, or 1 where the record does not hold together; what is wrong goes to standard error.
    """
    result = read_record(path)
    if as_json:
        fields = {**result.model_dump(mode="json"), "command": command_of(result)}
        print(json.dumps(fields, indent=2))
    else:
        show(summary.show(result, floor_beside(result, path), changed_since(result)), "", "Reproduce with:")
        shown = printable(result)
        for command in (command_of(shown), *commands_of_added(shown)):
            show_line(with_folders(command, shown, path))
    found = faults(result)
    for fault in found:
        print(f"mmulbench: {visible(str(path))} does not hold: {fault.text}", file=sys.stderr)
    return int(bool(found))
