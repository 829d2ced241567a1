"""Compare the command that a record's file holds with the one that follows from its specification."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmulbench.core.reproduce import (
    FORGET_LIST,
    OwnSettings,
    all_settings,
    command_of,
    started_from,
    words_of,
)
from mmulbench.records.schema import RunResult, RunSpec, Scalar
from mmulbench.validity.findings import Finding, shown
from mmulbench.validity.settings import changed_kinds

FLAGS = ("--untuned", "--no-reference")
ELSEWHERE = (
    "--plugin",
    "--data-dir",
    "--results-dir",
    "--cache-dir",
    "--tuned-dir",
    "--device",
    "--processes",
    "--shadows",
)
"""Options that say where and how a run is made, not which; what they say cannot be derived."""


def check_command(record: RunResult) -> Iterator[Finding]:
    """Yield a finding where the command is of another run.

    Settings that it leaves out may have been the defaults of their time.

    Args:
        record: the record.
    """
    wanted = command_of(record)
    if record.command == wanted:
        return
    said = _read(words_of(record.command))
    if said is None or not _is_of(record.spec, *said):
        yield Finding("command", f"is {shown(record.command)}", wanted)
        return
    given = {key for key, _ in said[1]}
    lacking = [key for key, _ in (_read(words_of(wanted)) or ({}, []))[1] if key not in given]
    if not lacking:
        return
    own = OwnSettings.of(record.spec)
    are_known = None not in (own.task, own.recipe, own.method)  # a plug-in's are not, unless it is loaded
    if are_known and "method" in record.code and not changed_kinds(record):
        yield Finding("command", f"is {shown(record.command)}", wanted)
    else:
        yield Finding(
            "command", f"it leaves out {', '.join(lacking)}, which were the defaults then or were not"
        )


def _read(words: Sequence[str]) -> tuple[dict[str, str], list[tuple[str, str]]] | None:
    """Return the options of a command line and its settings; None where it is no ``mmulbench run``."""
    if list(words[:2]) != ["mmulbench", "run"]:
        return None
    options: dict[str, str] = {}
    settings = []
    rest = iter(words[2:])
    for word in rest:
        if word in FLAGS:
            continue
        value = next(rest, None)
        if value is None:
            return None
        if word == "--set":
            key, _, text = value.partition("=")
            settings.append((key, text))
        elif word not in ELSEWHERE and (word not in IDENTITY or options.setdefault(word, value) != value):
            return None
    return options, settings


MODELS = ("--original", "--retrain", "--retrain-from")
"""Options that name models; what they are known by is the digest at their end."""

IDENTITY = ("--method", "--task", "--backbone", "--forget-size", "--forget", "--seed", *MODELS)
"""Options that say which run it is."""


def _is_of(spec: RunSpec, options: dict[str, str], settings: list[tuple[str, str]]) -> bool:
    """Say whether nothing that a command line says contradicts a specification."""
    whole = {"--method": spec.method, "--task": spec.task, "--seed": str(spec.seed)}
    if spec.forget is None:
        whole["--forget-size"] = str(spec.forget_size)
    else:
        whole["--forget"] = FORGET_LIST
    if "original" in spec.given:
        whole |= {f"--{name}": label for name, label in started_from(spec).items()}
    else:
        whole["--backbone"] = spec.backbone
    own = all_settings(spec)
    return (
        "--method" in options
        and all(_is_same(option, given, whole.get(option, "")) for option, given in options.items())
        and all(key in own and _means(text, own[key]) for key, text in settings)
    )


def _is_same(option: str, given: str, wanted: str) -> bool:
    """Compare what an option says; a checkpoint has its place there, and is known by its digest."""
    if option in MODELS and "@" in wanted:
        return given.rpartition("@")[2] == wanted.rpartition("@")[2]
    if option == "--backbone" and "@" in wanted:
        family, digest = wanted.partition(":")[0], wanted.rpartition("@")[2]
        return given.startswith(f"{family}:") and given.endswith(f"@{digest}")
    return given == wanted


def _means(text: str, value: Scalar) -> bool:
    """Say whether the text of a setting means its value."""
    if text == str(value):
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return float(text) == value
    except ValueError:
        return False
