"""Runs that are logged are the same runs, and end the same when loggers fail."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from mmulbench.errors import Diverged, UsageError
from mmulbench.loggers.logged import Logged, with_loggers
from mmulbench.progress import SHADOWS, Progress
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.run_spec import make_spec


class Notes(Progress):
    def __init__(self):
        self.notes = []

    def note(self, line):
        self.notes.append(line)


def test_without_loggers_there_is_nothing_between(tmp_path):
    progress = Progress()
    assert with_loggers(progress, (), tmp_path) is progress
    with pytest.raises(UsageError, match="no logger 'none'"):
        with_loggers(progress, ("none",), tmp_path)


def test_epochs_are_heard_between_begin_and_end_but_not_of_shadow_models(tmp_path):
    progress = Logged(Progress(), (), tmp_path)
    heard = [progress.listens]
    for tell in (
        lambda: progress.begin("run", {}),
        lambda: progress.stage("retrain"),
        lambda: progress.stage(SHADOWS),
        lambda: progress.end("done", {}),
    ):
        tell()
        heard.append(progress.listens)
    assert heard == [False, True, True, False, False]


def test_all_else_is_passed_on(tmp_path):
    calls = []

    class Shown(Progress):
        debug = True

        def __getattribute__(self, name):
            if name in ("plan", "run", "stage", "note", "track", "counter"):
                calls.append(name)
            return super().__getattribute__(name)

    progress = Logged(Shown(), (), tmp_path)
    progress.plan([1])
    progress.run("title")
    progress.stage("data")
    progress.note("line")
    assert list(progress.track(iter("ab"), 2, "letters")) == ["a", "b"]
    progress.counter(1, "steps")()
    assert calls == ["plan", "run", "stage", "note", "track", "counter"] and progress.debug


def made(prepared, workspace, method, progress):
    """The record of a run in a workspace, which a progress is told of."""
    spec = make_spec(prepared, "finetune", method, 4, 42)
    with progress:
        where = replace(workspace, progress=progress)
        run = Run(spec, method, "test", reference=True)
        return execute(run, replace(prepared, workspace=where), "always").result


def comparable(result):
    timed = {"seconds", "seconds_ratio", "peak_memory_mb"}
    fields = result.model_dump(exclude={"started", "finished"})
    return {**fields, "cost": {key: one for key, one in fields["cost"].items() if key not in timed}}


@pytest.mark.slow
def test_a_run_that_is_logged_has_the_same_record_and_original(emoji, make_workspace, quick_method, tmp_path):
    workspaces = [make_workspace(), make_workspace()]
    method = quick_method("finetune", epochs=2)
    plain = made(emoji, workspaces[0], method, Progress())
    logged = made(emoji, workspaces[1], method, with_loggers(Progress(), ["csv"], tmp_path))
    assert comparable(plain) == comparable(logged)
    folders = [workspace.cache.folder("original", {}).parent for workspace in workspaces]
    names = [sorted(path.name for path in folder.iterdir() if path.is_dir()) for folder in folders]
    assert names[0] and names[0] == names[1]
    (path,) = (tmp_path / "csv").iterdir()
    assert path.name == f"emoji-finetune-42-{logged.run_id}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["stage"], row["epoch"], row["name"]): row["value"] for row in rows}
    losses = [key for key in found if key[2] == "loss"]
    assert losses == [
        ("original", "1", "loss"),
        ("retrain", "1", "loss"),
        ("unlearn", "1", "loss"),
        ("unlearn", "2", "loss"),
    ]
    assert {(stage, "1", "validation") for stage in ("original", "retrain", "unlearn")} < found.keys()
    assert found["settings", "", "config.epochs"] == "2"
    assert float(found["record", "", "mia/matching"]) == logged.values["mia/matching"].value
    assert float(found["record", "", "cost/seconds"]) == logged.cost.seconds


@pytest.mark.slow
def test_a_logger_that_fails_costs_a_line(emoji, make_workspace, quick_method, tmp_path):
    (tmp_path / "csv").touch()  # where its folder would be
    shown = Notes()
    result = made(emoji, make_workspace(), quick_method("finetune"), with_loggers(shown, ["csv"], tmp_path))
    assert result.status == "done"
    (line,) = [note for note in shown.notes if "warning" in note]
    assert line.startswith("warning: --logger csv logs nothing more, and the run goes on: FileExistsError")


@pytest.mark.slow
def test_what_is_broken_off_is_logged_as_such(tmp_path):
    with pytest.raises(Diverged), with_loggers(Progress(), ["csv"], tmp_path) as progress:
        progress.begin("run", {})
        raise Diverged("it did")
    assert (tmp_path / "csv" / "run.csv").read_text().splitlines()[-1].endswith("record,,status,broken off")
