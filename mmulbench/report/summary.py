"""Show one run on the terminal: the table that ends `mmulbench run`, and a record for `mmulbench show`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.console import Group, RenderableType
from rich.text import Text

from mmulbench.metrics.catalogue import ORDER
from mmulbench.records.printable import printable
from mmulbench.records.schema import Cost, RunResult, StartCheck, Tuning, Value
from mmulbench.report.aggregate import settings_text
from mmulbench.report.columns import columns_of, part_columns
from mmulbench.report.floor import Floor
from mmulbench.report.makings import made_otherwise
from mmulbench.report.verdict import verdict
from mmulbench.tables import Column, WholeTable

__all__ = ["show", "summary_table", "verdict"]

BETTER = {
    "higher": "higher",
    "lower": "lower",
    "closest_to_retrain": "→retrain",
    "not_below_retrain": "≥retrain",
}
"""Words of the column that says what is better."""


def summary_table(result: RunResult) -> WholeTable:
    """Tabulate the headline values and the cost of a run beside the original's and retrain's.

    What is measured on each association path, or of each modality, has a line for each, so that all numbers
    of a line are of the same one. Below the table stands why a headline has no number.
    """
    spec = result.spec
    title = f"{spec.method} on {spec.task}, {spec.backbone}, {spec.forget_text}, seed {spec.seed}"
    table = _table(title)
    columns = columns_of(result)
    for column in columns:
        parts = part_columns([column], [result])
        if parts != [column]:
            table.add_row(column.title)
        for part in parts:
            label = column.title if part == column else f" {part.name.removeprefix(f'{column.name}/')}"
            table.add_row(*_cells(label, result.values[part.name]))
    if result.cost is not None:
        table.end_section()
        for label, text in _cost_lines(result.cost):
            table.add_row(label, text)
    nulls = {column.name for column in columns if result.values[column.name].value is None}
    reasons = [line for line in result.missing if line.partition(": ")[0] in nulls]
    if reasons:
        table.caption = "\n".join(f"Without a number is {reason}" for reason in reasons)
    return table


def show(result: RunResult, floor: Floor | None = None, changed: Sequence[str] = ()) -> RenderableType:
    """Show all of a record: specification, values, verdict, details, what is missing, environment.

    Args:
        result: the record.
        floor: what other records say of its retrain; None where there are no others.
        changed: kinds, such as ``method``, whose code is another today.
    """
    result = printable(result)
    parts: list[RenderableType] = [
        _specification(result),
        summary_table(result),
        Text(verdict(result, floor)),
    ]
    if details := _details(result):
        parts.append(details)
    if result.trace:
        parts.append(Text("\n".join(["Failed in:", *(f"  {frame}" for frame in result.trace)])))
    if result.missing:
        parts.append(Text("\n".join(["Left out:", *(f"  {line}" for line in result.missing)])))
    if changed:
        parts.append(
            Text(f"Made by other code than today's of: {', '.join(changed)}. Run it again to compare.")
        )
    parts.append(_environment(result))
    spaced: list[RenderableType] = [piece for part in parts for piece in (part, Text())]
    return Group(*spaced[:-1])


def _table(title: str) -> WholeTable:
    columns = (
        Column("Measure", folds=True),
        Column("this\nrun", right=True),
        Column("original", drop=5, right=True),
        Column("retrain", drop=6, right=True),
        Column("chance", drop=3, right=True),
        Column("better", drop=2),
        Column("95 %\ninterval", drop=4),
        Column("n", drop=1, right=True),
    )
    style = {"box": box.SIMPLE_HEAD, "padding": (0, 1, 0, 0), "show_edge": False}
    return WholeTable(columns, title=title, style=style)


def _cells(label: str, value: Value) -> tuple[str, ...]:
    """Return one line of the table; what is absent shows as a dash."""
    ends = (value.low, value.high)
    interval = "" if None in ends else "–".join(f"{end:.3f}".removeprefix("0") for end in ends)
    numbers = (value.value, value.original, value.retrain, value.chance)
    return (label, *map(_number, numbers), BETTER[value.direction], interval, f"{value.n:,}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _cost_lines(cost: Cost) -> Iterator[tuple[str, str]]:
    """Name what was measured of the cost, in words and units."""
    yield "Time", f"{cost.seconds:,.1f} s"
    if cost.seconds_ratio is not None:
        yield "Time / retrain", f"{cost.seconds_ratio:.3f}"
    if cost.flops is not None:
        yield "FLOPs", f"{cost.flops:.3g}"
    if cost.flops_ratio is not None:
        yield "FLOPs / retrain", f"{cost.flops_ratio:.3f}"
    if cost.peak_memory_mb is not None:
        yield "Peak memory", f"{cost.peak_memory_mb:,.0f} MiB"
    yield "Pairs seen", f"{cost.samples:,}"
    yield "Steps", f"{cost.steps:,}"


def _details(result: RunResult) -> WholeTable | None:
    """Tabulate the values below the headline, one section for each metric."""
    shown = {column.name for column in part_columns(columns_of(result), [result])}
    keys = [key for key in result.values if "/" in key and key not in shown]
    if not keys:
        return None
    keys.sort(
        key=lambda key: (ORDER.index(head) if (head := key.split("/")[0]) in ORDER else len(ORDER), key)
    )
    table = _table("Details")
    for head, section in groupby(keys, key=lambda key: key.split("/")[0]):
        table.end_section()
        table.add_row(head)
        for key in section:
            table.add_row(*_cells(f" {key.removeprefix(f'{head}/')}", result.values[key]))
    return table


def _pairs(title: str, pairs: dict[str, str]) -> WholeTable:
    table = WholeTable((Column(), Column(folds=True)), title=title, style={"padding": (0, 1, 0, 0)})
    for name, text in pairs.items():
        table.add_row(name, text)
    return table


def _specification(result: RunResult) -> WholeTable:
    spec = result.spec
    pairs = {
        "run id": result.run_id,
        "status": result.status,
        "task": f"{spec.task} ({settings_text(spec.task_config) or 'defaults'})",
        "backbone": spec.backbone,
        "method": f"{spec.method} ({settings_text(spec.config) or 'no settings'})",
        "tuned": _tuned(result.tuning) if spec.config else "has no settings",
        **_origins(result.origins),
        "recipe": settings_text(spec.recipe) or "defaults",
        "forget size": str(spec.forget_size) if spec.forget is None else spec.forget_text,
        "seed": str(spec.seed),
        "data": spec.data_fingerprint,
        "versions": f"metrics {spec.metric_version}, recipes {spec.recipe_version}",
    }
    if result.shadows:
        pairs["shadow models"] = str(result.shadows)
    if result.start is not None:
        pairs["start of retrain"] = _start(result.start)
    if spec.plugins:
        pairs["plug-ins"] = settings_text({**spec.plugins})
    return _pairs("Run", pairs)


def _tuned(tuning: Tuning | None) -> str:
    if tuning is None:
        return "no"
    return (
        f"{'' if tuning.found else 'no trial was done of '}{tuning.trials} trials on {tuning.task} with "
        f"{tuning.backbone}, forget size {tuning.forget_size} (study {tuning.study_id})"
        f"{', except ' if tuning.overridden else ''}{', '.join(tuning.overridden)}"
    )


def _start(start: StartCheck) -> str:
    """Say what the checkpoint that retrain starts from knew of the forget set."""
    attacks = (
        f"{path} AUC {auc.value:.3f} ({auc.low:.3f}–{auc.high:.3f})" for path, auc in start.forget.items()
    )
    utility = ", ".join(f"{name} {value:.3f}" for name, value in start.utility.items())
    return (
        f"checked before any training, the forget set was not seen: {', '.join(attacks)}, counts as seen "
        f"from {start.limit:.2f}; utility {utility}"
    )


def _origins(origins: dict[str, str]) -> dict[str, str]:
    """Name the settings from each place but the defaults, in one line; nothing where all are defaults."""
    places = sorted(set(origins.values()) - {"default"})
    texts = [f"{place}: {', '.join(name for name in origins if origins[name] == place)}" for place in places]
    return {"settings from": "; ".join([*texts, "all others: default"])} if texts else {}


def _environment(result: RunResult) -> WholeTable:
    env = result.environment
    started, finished = (time.isoformat(timespec="seconds") for time in (result.started, result.finished))
    pairs = {
        "mmulbench": f"{env.mmulbench} (git {env.git_commit or 'unknown'})",
        "python": f"{env.python} on {env.platform}",
        "device": f"{env.device}, {env.threads} threads{_each(env.processes)}",
        "processor": env.cpu or "unknown",
        "trained": "; ".join(made_otherwise(result)) or _here(result),
        "packages": ", ".join(f"{name} {version}" for name, version in sorted(env.packages.items())),
        "ran": f"{started} to {finished}",
    }
    return _pairs("Environment", pairs)


def _here(result: RunResult) -> str:
    """Say of which models it is known that they were trained as the run was made."""
    return f"{' and '.join(sorted(result.models))} likewise" if result.models else "not known where"


def _each(processes: int) -> str:
    return f" in each of {processes} processes" if processes > 1 else ""
