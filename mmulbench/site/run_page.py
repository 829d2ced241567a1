"""Write the page of a run: what it was, its verdict, its values by path, and how to repeat it."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from mmulbench.audit.attacks import ROW_HEIGHT, marks, path_attacks, shadow_attacks
from mmulbench.audit.done import costs, settings
from mmulbench.audit.examples import Examples
from mmulbench.audit.limits import limits
from mmulbench.audit.made import made
from mmulbench.audit.page import VERDICTS
from mmulbench.audit.usefulness import utilities
from mmulbench.audit.wording import Fact, counted, interval, moment, share
from mmulbench.plain_text import one_line
from mmulbench.records.printable import printable
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import settings_text
from mmulbench.report.floor import Floor
from mmulbench.report.verdict import judge
from mmulbench.site.skeleton import INDEX, policy, rendered


class ValueRow(NamedTuple):
    """Holds a value of a record as text, beside retrain's and the original's."""

    name: str
    own: str
    interval: str
    retrain: str
    original: str


class Place(NamedTuple):
    """Says where a run stands on the first page.

    Attributes:
        name: what its row is called.
        anchor: anchor of its table there.
        title: heading of that table.
    """

    name: str
    anchor: str
    title: str


def run_page(result: RunResult, floor: Floor, place: Place, digest: str, examples: Examples) -> str:
    """Return the page.

    Args:
        result: the record.
        floor: what other records say of its retrain.
        place: where it stands on the first page.
        digest: SHA-256 of the record's file.
        examples: units that are shown, or why there are none.
    """
    judgement = judge(result, floor)
    result = printable(result)
    attacks = path_attacks(result, floor)
    verdict, tone = VERDICTS[judgement.kind]
    return rendered(
        "run",
        run=result,
        place=place,
        back=f"../{INDEX}#{place.anchor}",
        verdict=verdict,
        tone=tone,
        sentence=one_line(judgement.sentence),
        specification=specification(result),
        settings=settings(result),
        costs=costs(result),
        attacks=attacks,
        marks=marks(attacks),
        row_height=ROW_HEIGHT,
        has_validation=any(one.against is not None for one in attacks),
        shadows=shadow_attacks(result),
        utilities=utilities(result),
        values=value_rows(result),
        limits=limits(result, floor, ()),
        examples=examples,
        made=made(result, digest),
        policy=Markup(policy(())),
    )


def specification(result: RunResult) -> list[Fact]:
    """Return what decides the numbers of a run besides its settings.

    Args:
        result: the record.
    """
    spec = result.spec
    facts = [
        Fact("Task", _with(spec.task, spec.task_config)),
        Fact("Backbone", spec.backbone),
        Fact("Method", spec.method),
        Fact("To be forgotten", counted(spec.forget_size, "forget unit")),
        Fact("Chosen by", f"the draw of seed {spec.seed}" if spec.forget is None else "a list"),
        Fact("Seed", str(spec.seed)),
        Fact("Training recipe", settings_text(spec.recipe) or "the task's own"),
        *(Fact(f"Model given as {name}", label) for name, label in sorted(spec.given.items())),
        Fact("Digest of the data", spec.data_fingerprint, is_code=True),
        Fact("Done", f"{moment(result.started)} to {moment(result.finished)}"),
    ]
    if result.status != "done":
        facts.append(
            Fact("Status", f"{result.status.replace('_', ' ')}: {result.reason or 'no reason recorded'}")
        )
    return facts


def value_rows(result: RunResult) -> list[ValueRow]:
    """Return all values of a record, those of a metric together.

    Args:
        result: the record.
    """
    return [
        ValueRow(name, share(one.value), interval(one.low, one.high), share(one.retrain), share(one.original))
        for name, one in sorted(result.values.items())
    ]


def _with(name: str, config: dict[str, bool | int | float | str | None]) -> str:
    return f"{name} ({settings_text(config)})" if config else name
