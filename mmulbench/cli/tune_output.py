"""Print what ``mmulbench tune`` finds."""

from __future__ import annotations

import json
from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmulbench.progress import make_progress
from mmulbench.records.study import Study
from mmulbench.report.aggregate import settings_text
from mmulbench.tuning.session import TuneRequest, tune_session


def tune_and_print(request: TuneRequest, *, as_json: bool, quiet: bool) -> int:
    """Tune, show a line as each method ends, and a table at the end.

    Args:
        request: options of the command.
        as_json: whether to print JSON instead.
        quiet: whether to print no bars and no table.

    Returns:
        0, or 1 if no trial of some method was done.
    """
    progress = make_progress(bars=not (quiet or as_json))
    studies = []
    for tuned in tune_session(request, progress):
        if tuned.study is None:
            progress.note(f"{tuned.name}: not applicable: {tuned.reason}")
            continue
        studies.append(tuned.study)
        best = tuned.study.best
        found = f"{best.objective:.4f} with {settings_text(best.settings)}" if best else "no trial was done"
        progress.note(f"{tuned.name}: {found} ({tuned.path})")
    if as_json:
        print(json.dumps([study.model_dump(mode="json") for study in studies], indent=1))
    elif not quiet:
        Console().print(_table(request, studies))
    return int(any(study.best is None for study in studies))


def _table(request: TuneRequest, studies: list[Study]) -> Table:
    """Make a table of the distances to retrain, with methods' own settings and with the best found."""
    table = Table(
        title=f"Distance to retrain on held-out data of {request.task}", title_justify="left", box=None
    )
    for name in ("Method", "defaults", "tuned", "trials", "settings"):
        table.add_column(name, justify="right" if name in ("defaults", "tuned") else "left")
    for study in studies:
        first, best = study.trials[0].objective, study.best
        counts = Counter(trial.state for trial in study.trials)
        table.add_row(
            study.spec.method,
            _number(first),
            _number(best.objective if best else None),
            escape(", ".join(f"{number} {state.replace('_', ' ')}" for state, number in counts.items())),
            escape(settings_text(study.settings)),
        )
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
