"""Options that several commands share, each written once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


def path(text: str | Path) -> Path:
    """Read a path from the command line.

    Raises:
        BadParameter: It is empty, as where the shell variable that it was to come from is not set.
    """
    if not str(text):
        raise typer.BadParameter("it is empty, perhaps from a variable that is not set: name a path")
    return Path(text)


DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", parser=path, help="Official data. (env MMULBENCH_DATA, ./data)"),
]
Results = Annotated[
    Path | None,
    typer.Option("--results-dir", parser=path, help="Records go here. (env MMULBENCH_RESULTS, ./results)"),
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir", parser=path, help="Shared artifacts. (env MMULBENCH_CACHE, ~/.cache/mmulbench)"
    ),
]
TunedDir = Annotated[
    Path | None,
    typer.Option("--tuned-dir", parser=path, help="Your own studies. (env MMULBENCH_TUNED, ./tuned)"),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Python file with methods, tasks or metrics of your own; repeatable. (env MMULBENCH_PLUGINS)",
    ),
]
BackboneName = Annotated[
    str | None, typer.Option("--backbone", "-b", help="family:variant; the task's own by default.")
]
ForgetSize = Annotated[
    str | None, typer.Option("--forget-size", help="Number of forget units, or a fraction such as 0.05.")
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda:N.")]
Processes = Annotated[
    int, typer.Option("--processes", min=1, help="Divide a run between so many GPUs, or CPU processes.")
]
Shadows = Annotated[
    int,
    typer.Option(
        "--shadows",
        min=0,
        help="Shadow models to attack with besides (U-LiRA, KLOM); costs as many trainings.",
    ),
]
NoUnits = Annotated[bool, typer.Option("--no-units", help="Keep no scores by unit beside the record.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No bars and no table.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


class OverwriteChoice(StrEnum):
    """Names which records to make again."""

    never = "never"
    failed = "failed"
    always = "always"
