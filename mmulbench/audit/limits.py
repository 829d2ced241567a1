"""Say what the audit of a run could not know, each in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mmulbench.audit.attacks import AWAY, CHANCE, path_attacks
from mmulbench.audit.done import has_retrain
from mmulbench.audit.wording import counted, share
from mmulbench.records.published import MINIMUM_UNITS
from mmulbench.records.schema import RunResult
from mmulbench.report.floor import UNKNOWN_FLOOR, Floor
from mmulbench.report.makings import made_otherwise
from mmulbench.report.ranking import MINIMUM_DRAWS
from mmulbench.report.untaught import untaught_in
from mmulbench.report.verdict import judge_paths

MOST_LINES = 12
"""Most lines that are taken over from a record's list of what is missing."""


class Limit(NamedTuple):
    """Holds one thing that is not known.

    Attributes:
        about: what it is about, in a few words.
        text: one or two sentences.
    """

    about: str
    text: str


def limits(result: RunResult, floor: Floor, changed: Sequence[str]) -> list[Limit]:
    """Return what could not be known, the gravest first.

    Args:
        result: the record.
        floor: what other records say of its retrain.
        changed: kinds, such as ``method``, whose code is another today.
    """
    return [
        *_of_reference(result),
        *_of_given(result),
        *_of_evidence(result, floor),
        *_of_settings(result),
        *_of_making(result, changed),
        *_of_more(result),
        Limit(
            "Other copies",
            "Copies of the forgotten data in backups, in other data sets, under other names or in other "
            "models were not looked for.",
        ),
    ]


def _of_reference(result: RunResult) -> Iterator[Limit]:
    """Yield what is unknown without retrain, or with one that may have seen what it should not."""
    if result.status != "done":
        yield Limit(
            "No numbers", "The run did not end, so nothing was measured and nothing is shown to be deleted."
        )
    elif not has_retrain(result):
        yield Limit(
            "No retrain",
            "No model was trained without the forgotten data. So it is not known how much a model that never "
            "saw them would give away: similar data may make it surer or less sure of them. The attack can "
            f"only be compared with {_unseen(result)}",
        )
        yield from _beside_unseen(result)
    elif result.has_unchecked_reference:
        yield Limit(
            "Retrain was not checked",
            "Retrain starts from published weights, and nobody looked whether these had seen the forgotten "
            "data. If they had, retrain is no measure of forgetting.",
        )


def _of_given(result: RunResult) -> Iterator[Limit]:
    """Yield what rests on the word of who gave a model."""
    given = result.spec.given
    if "retrain" in given:
        yield Limit(
            "Retrain was given",
            "Retrain was made elsewhere. That it never saw the forgotten data, and is otherwise trained as "
            "the original was, is the word of who gave it; a check found nothing that speaks against it.",
        )
    elif "original" in given and has_retrain(result):
        yield Limit(
            "Original was given",
            "The original was made elsewhere, retrain here. Where they were not trained alike, they differ "
            "by more than the forgotten data.",
        )
    if "unlearned" in given:
        yield Limit(
            "Unlearned model was given",
            "The unlearned model was made elsewhere. How, and at what cost, is the word of who gave it.",
        )


def _unseen(result: RunResult) -> str:
    """Say what the attack is compared with where there is no retrain, and how far that goes."""
    if any(one.against is not None for one in path_attacks(result, Floor())):
        return (
            "validation data. No model was trained on these; but by them it was chosen when a training ends, "
            "and they may be easier or harder than the forgotten data."
        )
    return (
        f"{share(CHANCE, 1).removeprefix('0')}, which holds for data that nobody trained on and that are "
        "otherwise like the test data."
    )


def _beside_unseen(result: RunResult) -> Iterator[Limit]:
    away = [one for one in path_attacks(result, Floor()) if one.finding in AWAY]
    if away:
        found = " and ".join(f"{one.path} ({share(one.value)}, {one.finding})" for one in away)
        yield Limit(
            f"Attack beside {'.5' if away[0].against is None else 'validation data'}",
            f"On {found} the attack tells the forgotten data from data that nobody trained on. Whether that "
            "is memory, over-forgetting, or a difference between the data is not known.",
        )


def _of_evidence(result: RunResult, floor: Floor) -> Iterator[Limit]:
    """Yield how small a leak could not be seen."""
    paths = judge_paths(result, floor) if result.status == "done" else []
    for one in untaught_in(result):
        yield Limit(
            f"Nothing learned on {one.path}",
            f"The {one.path} path cannot forget what it never held: {one}. That the model looks like "
            "retrain there shows nothing.",
        )
    if result.spec.forget_size < MINIMUM_UNITS:
        yield Limit(
            "Too few units",
            f"{counted(result.spec.forget_size, 'forget unit')} are fewer than {MINIMUM_UNITS}: chance alone "
            "moves the attack so far that no verdict is given.",
        )
    if paths:
        resolved = share(max(path.resolution for path in paths), 2)
        yield Limit(
            "Small differences",
            f"With {counted(result.spec.forget_size, 'forget unit')} a difference to retrain of up to "
            f"{resolved} cannot be told from chance. A few units that are fully remembered may hide in that.",
        )
    if not all(path.floor_is_known for path in paths):
        yield Limit(
            "Noise floor",
            "How far two retrains differ by chance was not measured. At least "
            f"{share(UNKNOWN_FLOOR, 2)} was taken for it, a guess; to measure it takes {MINIMUM_DRAWS} "
            "further retrains.",
        )
    if not result.shadows and result.status == "done":
        yield Limit(
            "Stronger attacks",
            "Attacks with shadow models (U-LiRA) were not made. They see more than the attack used here, "
            "and single units above all.",
        )


def _of_settings(result: RunResult) -> Iterator[Limit]:
    spec, tuning = result.spec, result.tuning
    if spec.config and tuning is None:
        yield Limit(
            "Settings were not searched for",
            "The method ran with settings that were not chosen for these data. Others may forget better or "
            "keep more.",
        )
    elif tuning is not None and (tuning.task, tuning.backbone) != (spec.task, spec.backbone):
        yield Limit(
            "Settings from elsewhere",
            f"The settings were chosen on {tuning.task} with {tuning.backbone}, not on {spec.task} with "
            f"{spec.backbone}.",
        )
    if spec.config and not result.origins and tuning is None:
        yield Limit("Origin of settings", "The record does not say where each setting comes from.")


def _of_making(result: RunResult, changed: Sequence[str]) -> Iterator[Limit]:
    """Yield where machines, code and plug-ins leave questions."""
    for line in made_otherwise(result):
        yield Limit("Another machine", f"The {line}; that alone moves numbers a little.")
    if not result.models and result.status == "done":
        yield Limit(
            "Where models were trained",
            "The record does not say on which machine original and retrain were trained.",
        )
    commit = result.environment.git_commit
    if commit is None or commit.endswith("-dirty"):
        how = "unknown" if commit is None else "changed after the commit that is named"
        yield Limit("Version of the program", f"The state of mmulbench's code is {how}.")
    if result.spec.plugins:
        names = ", ".join(sorted(result.spec.plugins))
        yield Limit("Code of others", f"{names}: from plug-in files, which are no part of mmulbench.")
    if changed:
        yield Limit(
            "Code has changed",
            f"The code of {', '.join(changed)} is another today: the command below may give other values.",
        )


def _of_more(result: RunResult) -> Iterator[Limit]:
    lines = [f"{line.rstrip('.')}." for line in result.missing[:MOST_LINES]]
    if (more := len(result.missing) - MOST_LINES) > 0:
        lines.append(f"And {counted(more, 'further thing')}, which the record names.")
    if lines:
        yield Limit("Left out of the record", " ".join(lines))
    if result.status == "done":
        yield Limit(
            "One run",
            f"All numbers are of one run with seed {result.spec.seed}. Another seed gives somewhat others.",
        )
