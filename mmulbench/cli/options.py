"""Options that several commands share, each written once, and the panels that help shows them in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mmulbench.cli import completions

WHAT = "What"
"""Panel of the options that say which runs, records or names are meant."""

WHERE = "Where"
"""Panel of folders, devices and machines."""

HOW = "How"
"""Panel of the options that say how the work is done."""

OUTPUT = "Output"
"""Panel of what is printed; ``--help`` is in it."""

PANELS = (WHAT, WHERE, HOW, OUTPUT)
"""The panels, in the order that every command shows them in."""


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
    typer.Option(
        "--data-dir", parser=path, rich_help_panel=WHERE, help="Official data. (env MMULBENCH_DATA, ./data)"
    ),
]
Results = Annotated[
    Path | None,
    typer.Option(
        "--results-dir",
        parser=path,
        rich_help_panel=WHERE,
        help="Records are here. (env MMULBENCH_RESULTS, ./results)",
    ),
]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        "--cache-dir",
        parser=path,
        rich_help_panel=WHERE,
        help="Shared artifacts. (env MMULBENCH_CACHE, ~/.cache/mmulbench)",
    ),
]
TunedDir = Annotated[
    Path | None,
    typer.Option(
        "--tuned-dir", parser=path, rich_help_panel=WHERE, help="Your studies. (env MMULBENCH_TUNED, ./tuned)"
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        rich_help_panel=WHERE,
        help="Python file with methods, tasks or metrics of your own; repeatable. (env MMULBENCH_PLUGINS)",
    ),
]
TaskOption = Annotated[
    str,
    typer.Option("--task", "-t", rich_help_panel=WHAT, autocompletion=completions.task, help="The task."),
]
MaybeTask = Annotated[
    str | None,
    typer.Option("--task", "-t", rich_help_panel=WHAT, autocompletion=completions.task, help="The task."),
]
OnlyTask = Annotated[
    str | None,
    typer.Option("--task", "-t", rich_help_panel=WHAT, autocompletion=completions.task, help="Only this."),
]
Methods = Annotated[
    list[str],
    typer.Option(
        "--method",
        "-m",
        rich_help_panel=WHAT,
        autocompletion=completions.methods,
        help="Methods: a name, several with commas, or all that apply; repeatable.",
    ),
]
SomeMethods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        "-m",
        rich_help_panel=WHAT,
        autocompletion=completions.methods,
        help="Methods: a name, several with commas, or all; repeatable.",
    ),
]
BackboneName = Annotated[
    str | None,
    typer.Option(
        "--backbone",
        "-b",
        rich_help_panel=WHAT,
        autocompletion=completions.backbone,
        help="family:variant; the task's own by default.",
    ),
]
Seeds = Annotated[
    list[str] | None,
    typer.Option("--seed", "-s", rich_help_panel=WHAT, help="Seeds: 42, or 42,87; repeatable. [42]"),
]
ForgetSize = Annotated[
    str | None,
    typer.Option(
        "--forget-size", rich_help_panel=WHAT, help="Number of forget units, or a fraction such as 0.05."
    ),
]
Forget = Annotated[
    str | None,
    typer.Option(
        "--forget",
        metavar="FILE",
        rich_help_panel=WHAT,
        help="List of what is forgotten: unit ids, one a line, or a table (.csv, .tsv, .jsonl, .parquet) of "
        "unit ids, or of units with the text to forget of each.",
    ),
]
ForgetWhere = Annotated[
    list[str] | None,
    typer.Option(
        "--forget-where",
        metavar="COLUMN==VALUE",
        rich_help_panel=WHAT,
        help="Forget the units that have a pair with this value; repeatable, then all must hold.",
    ),
]
RecordIds = Annotated[
    bool,
    typer.Option(
        "--record-ids", rich_help_panel=OUTPUT, help="Keep the ids of a forget list in the record, too."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        rich_help_panel=WHAT,
        help="key=value: KEY, METHOD.KEY, recipe.KEY or task.KEY; repeatable.",
    ),
]
Device = Annotated[str, typer.Option("--device", rich_help_panel=WHERE, help="auto, cpu or cuda:N.")]
Processes = Annotated[
    int,
    typer.Option(
        "--processes",
        min=1,
        rich_help_panel=WHERE,
        help="Divide a run between so many GPUs, or CPU processes.",
    ),
]
Untuned = Annotated[
    bool,
    typer.Option(
        "--untuned", rich_help_panel=HOW, help="Start from the methods' own settings, not from tuned ones."
    ),
]
NoReference = Annotated[
    bool,
    typer.Option(
        "--no-reference", rich_help_panel=HOW, help="Skip retrain; it is said what is then missing."
    ),
]
SaveModel = Annotated[
    Path | None,
    typer.Option(
        "--save-model",
        parser=path,
        metavar="DIR",
        rich_help_panel=OUTPUT,
        help="Write the unlearned model here, in its family's own format; several runs have a folder each.",
    ),
]
Original = Annotated[
    str | None,
    typer.Option(
        "--original",
        metavar="PATH",
        rich_help_panel=WHAT,
        help="Unlearn this model, instead of one that is trained here: a folder in the transformers layout "
        "(BLIP, CLIP, SigLIP, ViLT), ALBEF's file, an export, or owner/name of such a folder on a hub.",
    ),
]
RetrainFrom = Annotated[
    str | None,
    typer.Option(
        "--retrain-from",
        metavar="PATH",
        rich_help_panel=WHAT,
        help="With --original: the weights that it was fine-tuned from; retrain starts from them.",
    ),
]
Retrain = Annotated[
    str | None,
    typer.Option(
        "--retrain",
        metavar="PATH",
        rich_help_panel=WHAT,
        help="With --original: a model that was trained without what is forgotten, to compare with.",
    ),
]
Shadows = Annotated[
    int,
    typer.Option(
        "--shadows",
        min=0,
        rich_help_panel=HOW,
        help="Shadow models to attack with besides (U-LiRA, KLOM); costs as many trainings.",
    ),
]
NoUnits = Annotated[
    bool,
    typer.Option("--no-units", rich_help_panel=OUTPUT, help="Keep no scores by unit beside the record."),
]
Loggers = Annotated[
    list[str] | None,
    typer.Option(
        "--logger",
        rich_help_panel=OUTPUT,
        autocompletion=completions.loggers,
        help="Log losses and values, too, to csv, tensorboard, wandb or mlflow; several with commas.",
    ),
]
LoggerDir = Annotated[
    Path | None,
    typer.Option(
        "--logger-dir",
        parser=path,
        rich_help_panel=WHERE,
        help="Loggers write here. (env MMULBENCH_LOGGED, ./logged)",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", rich_help_panel=OUTPUT, help="Print JSON on standard output.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", rich_help_panel=OUTPUT, help="No bars and no table.")]
Debug = Annotated[
    bool, typer.Option("--debug", rich_help_panel=OUTPUT, help="Show the traceback of an error.")
]


class OverwriteChoice(StrEnum):
    """Names which records to make again."""

    never = "never"
    failed = "failed"
    always = "always"


Overwrite = Annotated[
    OverwriteChoice, typer.Option("--overwrite", rich_help_panel=HOW, help="Records to make again.")
]
