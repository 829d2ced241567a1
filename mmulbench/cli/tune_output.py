"""Print what ``mmulbench tune`` finds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmulbench.plain_text import one_line
from mmulbench.progress import make_progress
from mmulbench.records.study import Study
from mmulbench.report.aggregate import settings_text
from mmulbench.tables import Column, WholeTable, show
from mmulbench.tuning.session import TuneRequest, tune_session


def tune_and_print(request: TuneRequest, *, as_json: bool, quiet: bool, debug: bool = False) -> int:
    """Tune, show a line as each method ends, and a table at the end.

    Args:
        request: options of the command.
        as_json: whether to print JSON instead.
        quiet: whether to print no bars and no table.
        debug: whether to print the tracebacks of trials that fail.

    Returns:
        0, or 1 if no trial of some method was done that has settings within the budget.
    """
    progress = make_progress(bars=not (quiet or as_json), debug=debug)
    studies = []
    for tuned in tune_session(request, progress):
        if tuned.study is None:
            progress.note(f"{tuned.name}: not applicable: {tuned.reason}")
            continue
        studies.append(tuned.study)
        progress.note(f"{tuned.name}: {_found(tuned.study)} ({tuned.path})")
    if as_json:
        print(json.dumps([_as_json(study) for study in studies], indent=1))
    elif not quiet:
        show(_table(request, studies))
    return int(any(study.best is None and study.over_budget is None for study in studies))


def _as_json(study: Study) -> dict[str, Any]:
    """Return a study as JSON, with the settings that follow from it and what records say of it."""
    return {
        **study.model_dump(mode="json"),
        "settings": study.settings,
        "tuning": study.tuning.model_dump(mode="json"),
    }


def _found(study: Study) -> str:
    """Say in one line what a study found."""
    chosen = study.chosen
    if chosen is None or chosen.objective is None:
        return study.over_budget or "no trial was done"
    text = f"{chosen.objective:.4f} with {settings_text(chosen.settings)}"
    if study.kept_default:
        best, own = ("not done" if one is None else _number(one) for one in study.check_values)
        text += f"; kept the default: on a further forget set {own}, the best of the search {best}"
    tolerance = study.spec.utility_tolerance
    if tolerance is not None and (lost := _mean(chosen.lost)) > tolerance:
        text += f"; loses {100 * lost:.1f} points of utility, where {100 * tolerance:g} are allowed"
    if chosen.objective >= _mean(study.do_nothing):
        text += f"; no better than doing nothing ({_mean(study.do_nothing):.4f})"
    return text


def _table(request: TuneRequest, studies: list[Study]) -> WholeTable:
    """Make a table of the distances to retrain: of the original, of own settings, of those chosen."""
    columns = (
        Column("Method"),
        Column("nothing", drop=2, right=True),
        Column("default", drop=3, right=True),
        Column("tuned", right=True),
        Column("trials", drop=1, folds=True),
        Column("settings", folds=True),
    )
    table = WholeTable(columns, title=f"Distance to retrain on held-out data of {one_line(request.task)}")
    for study in studies:
        chosen = study.chosen
        table.add_row(
            study.spec.method,
            _number(_mean(study.do_nothing)),
            _number(study.trials[0].objective if study.trials else None),
            _number(chosen.objective if chosen else None),
            one_line(_trials(study)),
            one_line(_settings(study)),
        )
    return table


def _settings(study: Study) -> str:
    return settings_text(study.settings) + (" (default kept)" if study.kept_default else "")


def _trials(study: Study) -> str:
    """Count the trials of a study by how they ended, and those that the budget gave fewer epochs."""
    if study.over_budget is not None:
        return study.over_budget
    counts = Counter(trial.state for trial in study.trials)
    parts = [f"{number} {state.replace('_', ' ')}" for state, number in counts.items()]
    shortened = sum(trial.epochs_asked is not None for trial in study.trials)
    return ", ".join(parts) + (f"; {shortened} with fewer epochs" if shortened else "")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
