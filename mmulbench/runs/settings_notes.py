"""Say where the settings of a request's methods come from, and which studies were left aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mmulbench.records.schema import Tuning
from mmulbench.records.study import StaleStudy
from mmulbench.runs.open_task import ResolvedRequest


def settings_notes(resolved: ResolvedRequest) -> list[str]:
    """Return what the user has to know of where settings come from, a line for each thing.

    Args:
        resolved: what the names of a request stand for.
    """
    return [*left_aside(resolved.stale), *_sources(resolved.tunings)]


def left_aside(stale: Iterable[StaleStudy]) -> list[str]:
    """Return one line for each reason to pass over studies; it names them all.

    Args:
        stale: the studies.
    """
    by_reason: dict[str, list[str]] = {}
    for study in stale:
        by_reason.setdefault(study.reason, []).append(str(study.path))
    return [
        f"left aside a study that {reason} (mmulbench tune --replace makes it anew): {', '.join(paths)}"
        for reason, paths in by_reason.items()
    ]


def _sources(tunings: Mapping[str, Tuning]) -> list[str]:
    """Return one line for each task that settings were tuned on and each way that this ended."""
    by_end: dict[str, list[str]] = {}
    for name, tuning in tunings.items():
        by_end.setdefault(_end(tuning), []).append(name)
    return [text.format(methods=", ".join(names)) for text, names in by_end.items()]


def _end(tuning: Tuning) -> str:
    """Say how tuning ended, with a place for the names of the methods."""
    place = f"{tuning.task} with {tuning.backbone}"
    if tuning.overridden:
        names = ", ".join(tuning.overridden)
        return f"settings tuned on {place}, except {names}: {{methods}} (--untuned takes the methods' own)"
    if not tuning.found:
        return f"no trial on {place} was within budget and done, so with their own settings: {{methods}}"
    if tuning.kept_default:
        return f"tuned on {place}, where their own settings proved better than the best found: {{methods}}"
    return f"settings tuned on {place}: {{methods}} (--untuned takes the methods' own)"
