"""Write the command line that makes a run again, from what a record says the run is.

The command that a record's file holds is never printed: anybody may have written it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from mmulbench.core.declared import declared
from mmulbench.core.plugins import DIGEST_DIGITS
from mmulbench.core.registry import METHODS, TASKS, Registry
from mmulbench.errors import MmulbenchError
from mmulbench.files import read_regular
from mmulbench.records.schema import OUTSIDE, RunResult, RunSpec, Scalar

UNKNOWN_PLUGIN = "FILE"
"""Stands for a plug-in file that is not where the record says, or has another content now."""

MODEL = "MODEL"
"""Stands for the place of a model that was given, where nothing shows what is there."""

FORGET_LIST = "LIST"
"""Stands for the list of what is forgotten: its name and place are its owner's, and may be personal data."""

Settings = Mapping[str, Scalar]


@dataclass(frozen=True)
class OwnSettings:
    """Holds the settings that a run has unless it is given others; None where they are not known here.

    Attributes:
        task: of the task.
        recipe: of the task's recipe.
        method: of the method.
    """

    task: Settings | None
    recipe: Settings | None
    method: Settings | None

    @classmethod
    def of(cls, spec: RunSpec) -> OwnSettings:
        """Return the settings that task and method declare today."""
        return cls(
            _settings(TASKS, spec.task, "Config"),
            _settings(TASKS, spec.task, "recipe"),
            _settings(METHODS, spec.method, "Config"),
        )


@dataclass(frozen=True)
class Circumstances:
    """Holds what a run's specification does not say, but its command line does.

    Attributes:
        backbone: value of ``--backbone``; empty for the full name.
        plugins: plug-in files.
        reference: whether retrain is compared with.
        models: by option, place and digest of the models that were given, and of what retrain starts from.
        shadows: number of shadow models.
    """

    backbone: str = ""
    plugins: Sequence[str] = ()
    reference: bool = True
    models: Mapping[str, str] = field(default_factory=dict)
    shadows: int = 0


def command_of(record: RunResult) -> str:
    """Return the command line that makes a record again, derived from its specification.

    Places on disk are taken over from the file's own command only where what is there is what the record was
    made with: a checkpoint by its digest, and a plug-in file by its content.

    Args:
        record: the record.
    """
    return reproducing_command(record.spec, OwnSettings.of(record.spec), circumstances_of(record))


def commands_of_added(record: RunResult) -> list[str]:
    """Return the command lines that add to a record what was added to it later, in their order.

    Args:
        record: the record.
    """
    commands = []
    for one in record.added:
        parts = ["mmulbench", "evaluate", record.run_id, "--metrics", ",".join(one.metrics)]
        parts += ["--plugin", UNKNOWN_PLUGIN] if one.plugins else []
        parts += ["--forget", FORGET_LIST] if record.spec.forget is not None else []
        parts += ["--shadows", str(one.shadows)] if one.shadows else []
        commands.append(shlex.join(parts))
    return commands


def reproducing_command(spec: RunSpec, own: OwnSettings, around: Circumstances) -> str:
    """Return the command line that makes a run again, with every setting that is not its method's own.

    It does not rely on tuned settings, since a later study may change them.

    Args:
        spec: specification of the run.
        own: settings that need not be given.
        around: what else the command says.
    """
    parts = [*_beginning(spec, around), "--task", spec.task]
    for path in around.plugins:
        parts += ["--plugin", path]
    parts += _models(spec, around)
    size = ["--forget-size", str(spec.forget_size)] if spec.forget is None else ["--forget", FORGET_LIST]
    parts += [*size, "--seed", str(spec.seed)]
    for key, value in differing_settings(spec, own).items():
        parts += ["--set", f"{key}={value}"]
    if spec.config and "unlearned" not in spec.given:
        parts.append("--untuned")
    if not around.reference:
        parts.append("--no-reference")
    if around.shadows:
        parts += ["--shadows", str(around.shadows)]
    return shlex.join(parts)


def _beginning(spec: RunSpec, around: Circumstances) -> list[str]:
    """Return command and method: of what was made elsewhere, the place of the model and the method's name."""
    if "unlearned" not in spec.given:
        return ["mmulbench", "run", "--method", spec.method]
    place = around.models.get("--unlearned") or _stand_in(spec.given["unlearned"])
    return ["mmulbench", "evaluate", place, "--name", spec.method.removeprefix(OUTSIDE)]


def _models(spec: RunSpec, around: Circumstances) -> list[str]:
    """Return the options that say which models a run starts from."""
    if "original" not in spec.given:
        return ["--backbone", around.backbone or spec.backbone]
    parts = []
    for name, label in started_from(spec).items():
        if name == "unlearned":
            continue
        parts += [f"--{name}", around.models.get(f"--{name}") or _stand_in(label)]
    return parts


def started_from(spec: RunSpec) -> dict[str, str]:
    """Return family, name and digest of the models that a run was given, by option without its dashes.

    Args:
        spec: specification of the run.
    """
    own = {} if spec.backbone == spec.given.get("original") else {"retrain-from": spec.backbone}
    return {**spec.given, **own}


def _stand_in(label: str) -> str:
    """Return what stands for a model whose place is not known: ``MODEL`` and its digest, or a variant."""
    return f"{MODEL}@{label.rpartition('@')[2]}" if "@" in label else label


def differing_settings(spec: RunSpec, own: OwnSettings) -> dict[str, Scalar]:
    """Return the settings of a run that it would not have by itself, as ``--set`` names them.

    Args:
        spec: specification of the run.
        own: settings that it has by itself.
    """
    return {key: value for key, value, default in _beside_defaults(spec, own) if value != default}


def all_settings(spec: RunSpec) -> dict[str, Scalar]:
    """Return all settings of a run, as ``--set`` names them."""
    return {key: value for key, value, _ in _beside_defaults(spec, OwnSettings(None, None, None))}


def words_of(command: str) -> list[str]:
    """Return the words of a command line; none where a quotation is left open, which no shell takes."""
    with contextlib.suppress(ValueError):
        return shlex.split(command)
    return []


def _beside_defaults(spec: RunSpec, own: OwnSettings) -> Iterator[tuple[str, Scalar, object]]:
    """Yield each setting with its value, and with its default or what no value is equal to."""
    parts = (
        ("task.", spec.task_config, own.task),
        ("recipe.", spec.recipe, own.recipe),
        ("", spec.config, own.method),
    )
    for prefix, settings, defaults in parts:
        for name, value in settings.items():
            yield f"{prefix}{name}", value, (defaults or {}).get(name, _UNKNOWN)


_UNKNOWN = object()
_CHECKPOINT = re.compile(r"([^:]+):.+@([0-9a-f]{12})")


def _settings(registry: Registry[Any], name: str, attribute: str) -> Settings | None:
    """Return the settings that a registered class declares; None where it is not known here."""
    return _settings_at(registry, name, attribute, registry.changes)


@functools.lru_cache(maxsize=4096)
def _settings_at(registry: Registry[Any], name: str, attribute: str, changes: int) -> Settings | None:
    with contextlib.suppress(MmulbenchError):
        found = declared(registry, name, attribute)
        return asdict(found() if isinstance(found, type) else found)
    return None


def circumstances_of(record: RunResult) -> Circumstances:
    """Return what a record's own command says of places and options, where that can be checked."""
    spec = record.spec
    is_told = not spec.plugins and not spec.given and "@" not in spec.backbone
    if record.values and is_told:  # nothing is left to the command
        reference = any(value.retrain is not None for value in record.values.values())
        return Circumstances(reference=reference, shadows=record.shadows)
    words = words_of(record.command)
    shadows = next((value for option, value in pairwise(words) if option == "--shadows"), "")
    retrains = [value.retrain for value in record.values.values()]
    return Circumstances(
        backbone=_checkpoint(spec, words),
        models=_given(spec, words),
        plugins=_plugins(spec, words),
        reference=any(one is not None for one in retrains) if retrains else "--no-reference" not in words,
        shadows=record.shadows or (int(shadows) if re.fullmatch("[0-9]{1,6}", shadows) else 0),
    )


def _checkpoint(spec: RunSpec, words: Sequence[str]) -> str:
    """Return the place of a checkpoint, where the command names one of the same family and content."""
    wanted = _CHECKPOINT.fullmatch(spec.backbone)
    given = next((value for option, value in pairwise(words) if option == "--backbone"), "")
    found = _CHECKPOINT.fullmatch(given)
    return given if wanted and found and wanted.groups() == found.groups() else ""


def _given(spec: RunSpec, words: Sequence[str]) -> dict[str, str]:
    """Return the places of given models, where the command names ones with the same digest."""
    found = {}
    for name, label in started_from(spec).items():
        option = "evaluate" if name == "unlearned" else f"--{name}"
        place = next((value for word, value in pairwise(words) if word == option), "")
        if "@" in label and place.rpartition("@")[2] == label.rpartition("@")[2]:
            found[f"--{name}"] = place
    return found


def _plugins(spec: RunSpec, words: Sequence[str]) -> list[str]:
    """Return the plug-in files of a run, those with the right content by their place."""
    given = [value for option, value in pairwise(words) if option == "--plugin"]
    places = {digest_of_plugin(path): path for path in given}
    return sorted({places.get(digest, UNKNOWN_PLUGIN) for digest in spec.plugins.values()})


def read_besides(record: RunResult) -> list[str]:
    """Return the files that `command_of` reads to say what a record's command is: plug-ins, by their place.

    Args:
        record: the record.
    """
    words = words_of(record.command) if record.spec.plugins else []
    return sorted({value for option, value in pairwise(words) if option == "--plugin"})


def digest_of_plugin(path: str) -> str:
    """Return the start of the SHA-256 of a file, as records have it; empty where there is none."""
    with contextlib.suppress(OSError, ValueError):
        return hashlib.sha256(read_regular(Path(path))).hexdigest()[:DIGEST_DIGITS]
    return ""
