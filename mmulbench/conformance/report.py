"""Run the checks of ``mmulbench check``, and print one line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from mmulbench.conformance.backbone_checks import backbone_checks
from mmulbench.conformance.backbone_trial import backbone_trials
from mmulbench.conformance.checks import Check, ContractTrial, Outcome, run_check
from mmulbench.conformance.method_checks import method_checks
from mmulbench.conformance.method_trial import method_trials
from mmulbench.conformance.metric_checks import metric_checks
from mmulbench.conformance.planted_models import metric_trial
from mmulbench.conformance.task_checks import task_checks
from mmulbench.conformance.task_trial import task_trial
from mmulbench.core.plugins import load_plugins
from mmulbench.progress import make_progress

MARKS = {
    "passed": "[green]✓[/green]",
    "noted": "[yellow]![/yellow]",
    "failed": "[red]✗[/red]",
    "skipped": "–",
}


def check_method(name: str, plugins: Sequence[Path], *, as_json: bool, debug: bool = False) -> int:
    """Try a method on a tiny task of every kind, and print what came of it.

    Args:
        name: registered name of the method.
        plugins: plug-in files to load first.
        as_json: whether JSON is printed instead of lines.
        debug: whether the tracebacks of errors inside checks are printed, too.

    Returns:
        0, or 1 where a check failed.

    Raises:
        UsageError: the method is unknown or a plug-in is wrong.
    """
    load_plugins(plugins)
    trials = method_trials(name)
    where = "on tiny models for"
    return _report("method", name, method_checks(), trials, where, as_json=as_json, debug=debug)


def check_backbone(full_name: str, plugins: Sequence[Path], *, as_json: bool, debug: bool = False) -> int:
    """Try a backbone on a few made-up items for every kind of task it serves, and print what came of it.

    Args:
        full_name: ``family``, ``family:variant`` or ``family:checkpoint``.
        plugins: plug-in files to load first.
        as_json: whether JSON is printed instead of lines.
        debug: whether the tracebacks of errors inside checks are printed, too.

    Returns:
        0, or 1 where a check failed.

    Raises:
        UsageError: the backbone is unknown, a plug-in is wrong, or a package is missing.
        MmulbenchError: its checkpoint is damaged.
    """
    load_plugins(plugins)
    trials = backbone_trials(full_name)
    trials[0].demand_packages()
    name = trials[0].backbone.argument
    where = "on made-up items for"
    return _report("backbone", name, backbone_checks(), trials, where, as_json=as_json, debug=debug)


def check_task(
    name: str, data_dir: Path, plugins: Sequence[Path], *, as_json: bool, debug: bool = False
) -> int:
    """Try a task on its data, and print what came of it.

    Args:
        name: registered name of the task.
        data_dir: folder of the data.
        plugins: plug-in files to load first.
        as_json: whether JSON is printed instead of lines.
        debug: whether the tracebacks of errors inside checks are printed, too.

    Returns:
        0, or 1 where a check failed.

    Raises:
        UsageError: the task is unknown, a plug-in is wrong, or data or a package is missing.
        MmulbenchError: data is damaged.
    """
    load_plugins(plugins)
    with make_progress(bars=not as_json) as progress:
        trial = task_trial(name, data_dir, progress)
    return _report("task", name, task_checks(), [trial], "", as_json=as_json, debug=debug)


def check_metric(name: str, plugins: Sequence[Path], *, as_json: bool, debug: bool = False) -> int:
    """Try a metric on models whose behaviour is known, and print what came of it.

    Args:
        name: registered name of the metric.
        plugins: plug-in files to load first.
        as_json: whether JSON is printed instead of lines.
        debug: whether the tracebacks of errors inside checks are printed, too.

    Returns:
        0, or 1 where a check failed.

    Raises:
        UsageError: the metric is unknown or a plug-in is wrong.
    """
    load_plugins(plugins)
    trials = [metric_trial(name)]
    return _report("metric", name, metric_checks(), trials, "", as_json=as_json, debug=debug)


def _report(
    kind: str,
    name: str,
    checks: Sequence[Check],
    trials: Sequence[ContractTrial],
    where: str,
    *,
    as_json: bool,
    debug: bool,
) -> int:
    """Run checks on trials, and print what came of each; ``where`` introduces the trials' labels."""
    shown = make_progress(bars=False, debug=debug)
    console = Console(highlight=False, quiet=as_json)
    labels = [trial.label for trial in trials if trial.label]
    if labels:
        console.print(f"{name} {where} {', '.join(labels)}:", markup=False, soft_wrap=True)
    outcomes = []
    for check in checks:
        outcomes.append(run_check(check, trials, shown.failure))
        console.print(_line(outcomes[-1]), soft_wrap=True)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    if as_json:
        found = [asdict(outcome) for outcome in outcomes]
        print(json.dumps({kind: name, "passed": not failed, "checks": found}, indent=2))
        return int(bool(failed))
    for line in _left_out(outcomes):
        console.print(line, markup=False, soft_wrap=True)
    verdict = (
        f"{len(failed)} of {len(outcomes)} checks failed."
        if failed
        else f"The {kind} {name} holds to the contract."
    )
    console.print(f"\n{verdict}", soft_wrap=True)
    return int(bool(failed))


def _line(outcome: Outcome) -> str:
    """Return mark, seconds, rule, and what is to be said of it."""
    note = outcome.reason
    if outcome.status == "passed" and outcome.left_out:
        note = f"only {', '.join(outcome.on)}"
    tail = f": {note}" if note else ""
    return f"{MARKS[outcome.status]} [dim]{outcome.seconds:5.1f} s[/dim]  {escape(outcome.rule + tail)}"


def _left_out(outcomes: Sequence[Outcome]) -> list[str]:
    """Say why checks that passed elsewhere were not tried on a trial: each reason once, with its trials."""
    trials: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        if outcome.status == "passed":
            for label, reason in outcome.left_out.items():
                trials.setdefault(reason, {})[label] = None
    return [f"Left out: {', '.join(labels)}: {reason}" for reason, labels in trials.items()]
