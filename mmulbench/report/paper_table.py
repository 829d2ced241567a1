"""Render the protocol of MMUL's paper as tables of their own, and compute the paper's two claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mmulbench.report.aggregate import RETRAIN, RETRAIN_AGAIN, MethodRow, RecordGroup, SeedSummary
from mmulbench.report.cells import cost_cell, escape, markdown, number, plain_cell, seeds_text
from mmulbench.report.noise_floor import NoiseFloor

METHOD = "mmul"
BASELINES = ("finetune", "gradient_ascent", "descent_to_delete", "l_codec", "erm_ktp", "kga")
"""What the paper compares its method with; its NegGrad is `gradient_ascent`."""

FUSED = ("matching", "classification")
"""Association paths that read both inputs together; a model has one of them at most."""

SEPARATION = "forget_vs_retain_auc"

CLAIMED_MARGIN = 17.6
"""Points of Df|Dr AUC above the best baseline, mean over the paper's tasks (arXiv 2311.12047)."""

CLAIMED_DISTANCE = 0.3
"""Points of test utility from retrain, mean over the paper's tasks."""

ORIGINS = ("default", "tuned")
"""MMUL is judged twice: with its own settings, and with those of a study."""

INTRODUCTION = f"""\
The paper ([arXiv 2311.12047](https://arxiv.org/abs/2311.12047)) judges by raw numbers and on the fused path
alone: the more Df|Dr AUC and MI ratio, the better, and the less Df utility. So do these tables, to compare
with it. Past retrain's value, though, all three show over-forgetting. The paper claims {CLAIMED_MARGIN}
points of Df|Dr AUC more than its best baseline, and {CLAIMED_DISTANCE} points from retrain on the test
set. ± is the standard deviation over seeds."""


@dataclass(frozen=True)
class Margin:
    """Holds how far MMUL is above the best of the paper's baselines on one path.

    Attributes:
        points: differences in points, seed by seed.
        baseline: label of the baseline.
    """

    points: SeedSummary
    baseline: str


@dataclass(frozen=True)
class Claims:
    """Holds what one table says of the paper's claims.

    Attributes:
        fused: margin on the fused path; None where no baseline has it.
        contrastive: margin on the contrastive path; None also where there is none.
        distance: points from retrain on the test set, mean of distances over seeds.
        noise: the same of a second retrain.
        is_whole: whether each of the paper's baselines has records, or was found not to apply.
    """

    fused: Margin | None
    contrastive: Margin | None
    distance: float | None
    noise: float | None
    is_whole: bool


@dataclass(frozen=True)
class PaperPart:
    """Holds what one table gives to the section.

    Attributes:
        parts: parts of the page.
        claims: what it says of the claims, by each of `ORIGINS`.
    """

    parts: tuple[str, ...]
    claims: tuple[Claims | None, ...]


def paper_part(group: RecordGroup) -> PaperPart | None:
    """Render what a table gives to the section; None where it has no fused path.

    Args:
        group: the table.
    """
    path = fused_path(group)
    if path is None:
        return None
    table = [_table(group, path)] if _rows(group) else []
    heading = f"### {group.key.task}, {group.key.backbone}: {path} path"
    return PaperPart(
        (heading, *table, *_sentences(group, path)),
        tuple(claims(group, path, origin) for origin in ORIGINS),
    )


def paper_section(tables: Sequence[PaperPart | None]) -> list[str]:
    """Render the section; nothing where no table has a fused path.

    Args:
        tables: what each table gives.

    Returns:
        Parts of the page, heading first.
    """
    fused = [table for table in tables if table is not None]
    if not fused:
        return []
    parts = ["## The paper's protocol", INTRODUCTION]
    parts += [part for table in fused for part in table.parts]
    for place, origin in enumerate(ORIGINS):
        parts += _over_tasks([table.claims[place] for table in fused], origin)
    return parts


def fused_path(group: RecordGroup) -> str | None:
    """Return the path of a table's models that reads both inputs together; None where there is none."""
    return next((path for path in FUSED if path in group.paths()), None)


def claims(group: RecordGroup, path: str, origin: str) -> Claims | None:
    """Compute what a table says of the paper's claims.

    Args:
        group: the table.
        path: its fused path.
        origin: whether MMUL's default or tuned settings are judged.

    Returns:
        The claims; None where there is no record of MMUL with such settings.
    """
    own = next((row for row in _rows(group) if row.method == METHOD and origin in _origins(row)), None)
    if own is None or not own.done:
        return None
    distance, noise = own.distance("test"), NoiseFloor.of(group, "test")
    return Claims(
        _margin(group, own, path),
        _margin(group, own, "contrastive"),
        100 * distance.mean if distance else None,
        100 * noise.mean if noise else None,
        is_whole={row.method for row in _rows(group)} >= set(BASELINES),
    )


def _margin(group: RecordGroup, own: MethodRow, path: str) -> Margin | None:
    """Compare with the baseline, of whatever settings, that has the largest mean over MMUL's seeds."""
    key = f"{SEPARATION}/{path}"
    mine = own.by_seed(key)
    rivals = {
        row.label: by_seed
        for row in _rows(group)
        if row.method in BASELINES and mine.keys() <= (by_seed := row.by_seed(key)).keys()
    }
    if not mine or not rivals:
        return None
    best = max(rivals, key=lambda label: sum(rivals[label][seed] for seed in mine))
    points = SeedSummary.of(100 * (mine[seed] - rivals[best][seed]) for seed in mine)
    assert points is not None
    return Margin(points, best)


def _rows(group: RecordGroup) -> list[MethodRow]:
    """Return the rows of the paper's protocol: references, MMUL, baselines; no ablations."""
    order = (RETRAIN, RETRAIN_AGAIN, METHOD, *BASELINES)
    rows = [row for row in group.rows if row.method in order and row.records]
    rows = [row for row in rows if row.is_reference or _origins(row)]
    return sorted(rows, key=lambda row: order.index(row.method))


def _origins(row: MethodRow) -> list[str]:
    """Say where settings come from; from both where tuning kept the default, from neither in ablations."""
    return [name for name, so in zip(ORIGINS, (row.is_default, row.is_tuned), strict=True) if so]


def _table(group: RecordGroup, path: str) -> str:
    columns = {
        "Df\\|Dr AUC ↑": f"{SEPARATION}/{path}",
        "Test utility ↑": "test",
        "Df utility ↓": "forget",
        "MI ratio ↑": f"mi_ratio/{path}/ratio",
    }
    lines = [["Method", *columns, "Seconds (× retrain) ↓", "Seeds"]]
    for row in _rows(group):
        cells = [plain_cell(row, row.summary(key)) for key in columns.values()]
        lines.append([escape(_name(row)), *cells, cost_cell(row), seeds_text(row, group.seeds)])
    return markdown(lines)


def _name(row: MethodRow) -> str:
    """Name a row with the origin of its settings, also where it is its method's only one."""
    origins = " and ".join(_origins(row))
    return row.label if row.is_reference or "(" in row.label else f"{row.label} ({origins})"


def _sentences(group: RecordGroup, path: str) -> list[str]:
    """Say what the claims come to in one table, and which records are missing for them."""
    lines = [line for origin in ORIGINS for line in _lines(claims(group, path, origin), path, origin)]
    have = {row.method for row in _rows(group) if row.records}
    lacking = [f"`{METHOD}` ({origin})" for origin in ORIGINS if claims(group, path, origin) is None]
    lacking += [f"`{name}`" for name in (RETRAIN_AGAIN, *BASELINES) if name not in have]
    found = ["\n".join(f"- {line}" for line in lines)] if lines else []
    return [*found, f"Without a record here: {', '.join(lacking)}."] if lacking else found


def _lines(claims: Claims | None, path: str, origin: str) -> Iterator[str]:
    if claims is None:
        return
    for name, margin in ((path, claims.fused), ("contrastive", claims.contrastive)):
        if margin is not None:
            sd = "" if margin.points.sd is None else f" ± {margin.points.sd:.1f}"
            difference = f"{_signed(margin.points.mean)}{sd} points to the best of these baselines"
            yield f"MMUL ({origin}), Df|Dr on the {name} path: {difference}, {escape(margin.baseline)}."
    if claims.distance is not None:
        distance = f"{number(claims.distance, 1)} points from retrain{_beside(claims.noise)}"
        yield f"MMUL ({origin}), test utility: {distance}."


def _beside(noise: float | None) -> str:
    return "" if noise is None else f"; a second retrain is {number(noise, 1)} from it"


def _over_tasks(found: Sequence[Claims | None], origin: str) -> list[str]:
    """Say what the claims come to over all tables that have the records; nothing where none has."""
    known = [claims for claims in found if claims is not None]
    fused = _mean(claims.fused.points.mean for claims in known if claims.fused)
    contrastive = _mean(claims.contrastive.points.mean for claims in known if claims.contrastive)
    distance = _mean(claims.distance for claims in known)
    noise = _mean(claims.noise for claims in known)
    best = "points to the best of its baselines"
    sentences = []
    if fused is not None:
        claimed = f"the paper: {_signed(CLAIMED_MARGIN)}"
        sentences.append(f"Df|Dr on the fused path: {_signed(fused.mean)} {best} ({claimed}){_over(fused)}.")
    if contrastive is not None:
        sentences.append(f"On the contrastive path: {_signed(contrastive.mean)} {best}{_over(contrastive)}.")
    if distance is not None:
        claimed = f"the paper: {CLAIMED_DISTANCE}"
        beside = _beside(noise.mean if noise else None)
        words = f"{number(distance.mean, 1)} points from retrain ({claimed}){_over(distance)}{beside}"
        sentences.append(f"Test utility: {words}.")
    if known and (whole := sum(claims.is_whole for claims in known)) < len(known):
        sentences.append(f"All of the baselines that apply were run in {whole} of {len(known)} tables.")
    return [f"**MMUL ({origin}), over all tasks.** {' '.join(sentences)}"] if sentences else []


def _mean(numbers: Iterable[float | None]) -> SeedSummary | None:
    return SeedSummary.of(number for number in numbers if number is not None)


def _over(mean: SeedSummary) -> str:
    return f", mean over {mean.n} table{'s' if mean.n > 1 else ''}"


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")
