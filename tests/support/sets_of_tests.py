"""Pytest hooks: the fast and the slow set of tests, their order on several processes, and a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).resolve().parents[1]

PACKAGING = (
    "packaging/test_documented_package.py",
    "packaging/test_entry_points.py",
    "packaging/test_entry_points_run.py",
    "packaging/test_wheel.py",
)
"""Files that share wheels, which take long to build."""

SLOW = (
    "api/test_run.py",
    "api/test_tables.py",
    "cli/test_concurrency.py",
    "cli/test_determinism.py",
    "cli/test_interruption.py",
    "cli/test_processes.py",
    "cli/test_selftest.py",
    "cli/test_shadow_commands.py",
    "cli/test_sweep_commands.py",
    "cli/test_tune.py",
    "conformance/test_shortcut_checks.py",
    "evaluation/test_galleries.py",
    "examples/",
    "exports/test_loading_code.py",
    "exports/test_write.py",
    "handover/test_added.py",
    "known_answers/test_one_unit.py",
    "known_answers/test_planted.py",
    "methods/test_methods_contract.py",
    *PACKAGING,
    "runs/test_changed_code.py",
    "runs/test_divided_model.py",
    "runs/test_shadow_models.py",
    "runs/test_start_check.py",
    "runs/test_tiny_data.py",
    "selftest/test_judged.py",
    "slurm/test_slurm_surroundings.py",
    "slurm/test_slurm_sweep.py",
    "slurm/test_slurm_trouble.py",
    "tasks/test_hpo_gdpr.py",
    "tasks/test_hpo_pgr.py",
    "tasks/test_matrix.py",
    "tasks/test_offline_runs.py",
    "tasks/test_tasks_contract.py",
    "tuning/test_judge.py",
)
"""Files of which every test, or all tests together, take long; in other files, single tests are marked."""

SERIAL = {
    "slurm": ("slurm/",),
    "packaging": PACKAGING,
    "processes": (
        "cli/test_concurrency.py",
        "cli/test_interruption.py",
        "cli/test_processes.py",
        "cli/test_sweep_commands.py",
        "runs/test_divided_model.py",
        "sweeps/test_local.py",
        "sweeps/test_supervisor.py",
    ),
    "checkpoints": ("runs/test_given_models.py", "runs/test_start_check.py"),
}
"""Groups of files whose tests never run at the same time: they share what is costly, or start processes."""

SPREAD = ("tasks/test_matrix.py",)
"""Files whose tests share nothing costly, so that any process may take any of them."""

MOST_PROCESSES = 8
FAST_SECONDS = 1.0
"""Longest time of a fast test on a machine that does nothing else; on a busy one it is longer by the load."""


class SlowerThanFast:
    """Collects the tests of the fast set that took too long for it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        if report.when == "call" and "slow" not in report.keywords and report.duration > FAST_SECONDS * busy:
            self.seconds[report.nodeid] = report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.seconds:
            terminalreporter.section("fast tests that took over a second: mark them slow or make them faster")
        for test, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"{seconds:6.2f} s  {test}")


def pytest_configure(config: pytest.Config) -> None:
    """Run everything in what the command line names, unless it says ``-m`` too."""
    if hasattr(config, "workerinput"):
        return
    config.pluginmanager.register(SlowerThanFast())
    own_choice = any(str(word).startswith("-m") for word in config.invocation_params.args)
    if names_something(config) and not own_choice:
        config.option.markexpr = ""


def names_something(config: pytest.Config) -> bool:
    """Tell whether the command line names files, folders or tests, other than all of them."""
    return {Path(config.invocation_params.dir, word).resolve() for word in config.args} != {TESTS}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use every core; one process more where a cluster's tests, which mostly wait, are among them.

    A few named tests start sooner in this process.
    """
    if names_something(config):
        return 0
    cores = min(os.cpu_count() or 1, MOST_PROCESSES)
    return cores if config.option.markexpr else cores + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Keep a file's tests, or a serial group's, in one process: they share what they set up."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return nodeid if in_any(file, SPREAD) else serial_group(file) or file

    config.option.loadscopereorder = False  # the order below is better than that by number of tests
    return ByFile(config, log)


def in_any(file: str, names: tuple[str, ...]) -> bool:
    """Tell whether a test file, as its node id spells it, is one of these or in one of these folders."""
    return file.removeprefix("tests/").startswith(names)


def serial_group(file: str) -> str | None:
    """Return the serial group a file belongs to."""
    return next((name for name, files in SERIAL.items() if in_any(file, files)), None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the slow tests; on several processes, begin with what takes longest."""
    for item in items:
        if in_any(item.nodeid, SLOW):
            item.add_marker("slow")
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: start_order(item.nodeid.partition("::")[0]))


def start_order(file: str) -> int:
    """Return the place of a file among those that begin: serial groups, slow files, the others."""
    group = serial_group(file)
    if group is not None:
        return list(SERIAL).index(group)
    return len(SERIAL) if in_any(file, SLOW) else len(SERIAL) + 1
