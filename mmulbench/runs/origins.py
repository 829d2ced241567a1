"""Find out where each setting of a run comes from: a default, a study or the command line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from mmulbench.records.schema import Tuning
from mmulbench.records.study import TunedDefault

DEFAULT = "default"

COMMAND_LINE = "command line"


def setting_origins(
    config: Any, start: Any, *, study: str = "", tuned: Collection[str] = (), prefix: str = ""
) -> dict[str, str]:
    """Return where each setting of a configuration comes from, by its name.

    What the command line only repeats is from where it would be without.

    Args:
        config: the configuration.
        start: the configuration that settings of the command line were put on.
        study: id of the study that some of its settings come from.
        tuned: their names.
        prefix: what names begin with.
    """
    origins = {}
    for name in (field.name for field in fields(config)):
        if getattr(config, name) != getattr(start, name):
            origin = COMMAND_LINE
        else:
            origin = f"study {study}" if name in tuned else DEFAULT
        origins[f"{prefix}{name}"] = origin
    return origins


def method_origins(config: Any, own: Any, tuned: TunedDefault | None) -> dict[str, str]:
    """Return where each setting of a method comes from, by its name.

    Args:
        config: the method's configuration.
        own: its configuration without a study and a command line.
        tuned: what a study makes of that; None where there is no study.
    """
    if tuned is None:
        return setting_origins(config, own)
    return setting_origins(config, tuned.config, study=tuned.tuning.study_id, tuned=tuned.settings)


def tuning_of(origins: Mapping[str, str], tuned: TunedDefault | None) -> Tuning | None:
    """Return what a record says of the study of its settings; None where none of them is the study's.

    Args:
        origins: where each setting of the method comes from.
        tuned: what a study makes of the method's own settings; None where there is no study.
    """
    if tuned is None:
        return None
    overridden = tuple(name for name, origin in origins.items() if origin == COMMAND_LINE)
    if overridden and not any(origin.startswith("study ") for origin in origins.values()):
        return None
    return tuned.tuning.model_copy(update={"overridden": overridden})
