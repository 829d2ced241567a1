"""What the pipeline records when a method goes wrong."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from toys import state_of

from mmulbench.core.data import Relations, Split
from mmulbench.core.descent import GradientMethod
from mmulbench.core.method import Method
from mmulbench.core.task import TaskData
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.measure import EvaluationSets
from mmulbench.progress import NotesOnly, Progress
from mmulbench.records.unit_files import read_units, unit_file
from mmulbench.runs import pipeline
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.run_spec import make_spec


class Simple(Method):
    """A method from a function."""

    def __init__(self, work):
        super().__init__()
        self._work = work

    def unlearn(self, problem):
        return self._work(problem)


def test_a_good_run_is_done(record):
    found = record(Simple(lambda problem: problem.copy_of_original()))
    assert found.status == "done" and found.reason is None
    assert found.values["mi_ratio"].value == pytest.approx(0.0)
    assert found.values["test"].value == found.values["test"].original
    pairs = found.by_unit["pairs"]
    for path in found.histograms:
        for name in (f"mia/{path}", f"forget_vs_retain_auc/{path}"):
            by_unit = [one * count for one, count in zip(found.by_unit[name], pairs, strict=True)]
            assert sum(by_unit) / sum(pairs) == pytest.approx(found.values[name].value, abs=1e-4)


def test_without_a_reference_validation_pairs_are_attacked(record, emoji):
    found = record(Simple(lambda problem: problem.copy_of_original()))
    pairs = {name: len(getattr(emoji.data, name)) for name in ("test", "validation")}
    for path in found.histograms:
        unseen, against = (
            found.values[f"mia/{path}/{part}"] for part in ("validation", "against_validation")
        )
        assert unseen.n == pairs["test"] + pairs["validation"]
        assert against.n == sum(found.by_unit["pairs"]) + pairs["validation"]
        for one in (unseen, against):
            assert one.value == one.original and one.low <= one.value <= one.high and one.retrain is None


class Told(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


class Heard(Told):
    """Keeps which stages begin, too."""

    def stage(self, name: str) -> None:
        self.lines.append(name)


@pytest.mark.slow
def test_an_original_that_learned_nothing_is_told_before_its_retrain(emoji, make_workspace, monkeypatch):
    monkeypatch.setattr(pipeline, "MINIMUM_UNITS", 20)

    def said(lr, units=20):
        heard = Heard()
        where = replace(make_workspace(), progress=heard)
        still = replace(emoji, recipe=replace(emoji.recipe, lr=lr, epochs=40), workspace=where)
        method = Simple(lambda problem: problem.copy_of_original())
        execute(Run(make_spec(still, "idle", method, units, 42), method, "test"), still, "always")
        return heard.lines[: heard.lines.index("retrain")]

    found = [line for line in said(0.0) if "next to nothing" in line]
    assert [re.search(r"on its (\w+) path", line)[1] for line in found] == ["contrastive", "matching"]
    for lines in (said(3e-3), said(0.0, units=19)):  # it learned something; nothing is judged
        assert not [line for line in lines if "next to nothing" in line]


@pytest.mark.slow
def test_with_a_reference_they_are_not(emoji):
    method = Simple(lambda problem: problem.copy_of_original())
    found = execute(Run(make_spec(emoji, "referred", method, 4, 42), method, "test"), emoji, "always").result
    assert found.status == "done" and not [name for name in found.values if "validation" in name]


@pytest.mark.slow
def test_a_record_says_where_its_models_were_trained(record, make_workspace, quick_method):
    shared = make_workspace()
    record(quick_method("finetune"), "finetune", where=shared)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        found = record(quick_method("gradient_ascent"), "gradient_ascent", where=shared)
    finally:
        torch.set_num_threads(threads)
    assert found.environment.threads == threads + 1
    assert {name: made.threads for name, made in found.models.items()} == {"original": threads}


@pytest.mark.parametrize("name", ["finetune", "gradient_ascent", "mmul", "scrub"])
def test_a_huge_learning_rate_is_recorded_as_diverged(name, record, quick_method):
    found = record(quick_method(name, lr=1e30, epochs=3), name)
    assert found.status == "diverged"
    assert found.reason.startswith("unlearn: ") and "\n" not in found.reason
    assert re.search("no longer finite|loss became", found.reason)
    assert not found.values


class NanLoss(GradientMethod):
    @dataclass(frozen=True)
    class Config:
        epochs: int = 1
        lr: float = 1e-4
        batch_size: int = 16

    def loss(self, model, forget, retain, problem):
        return model(retain).loss * float("nan")


def test_a_nan_loss_is_recorded_as_diverged(record):
    found = record(NanLoss())
    assert (found.status, found.reason) == ("diverged", "unlearn: the loss became nan")


class NanGradient(NanLoss):
    """One step whose loss is 0 and whose gradient is not a number."""

    def loss(self, model, forget, retain, problem):
        return (next(model.parameters()) * 0).sqrt().sum()


def test_a_nan_gradient_is_recorded_as_diverged(record):
    found = record(NanGradient(NanGradient.Config(batch_size=1000)))
    assert found.status == "diverged"
    assert re.fullmatch(r"unlearn: parameter \S+ is no longer finite", found.reason)


def test_a_model_with_nan_weights_is_recorded_as_diverged(record):
    def spoil(problem):
        model = problem.copy_of_original()
        next(model.parameters()).data.fill_(float("nan"))
        return model

    assert record(Simple(spoil)).status == "diverged"


def shift_original(problem):
    with torch.no_grad():
        for parameter in problem.original.parameters():
            parameter.mul_(3.0)
    # Whatever is computed from now on comes from a spoilt original.
    problem.outputs.unimodal("image", torch.from_numpy(problem.forget.split.units))
    return problem.copy_of_original()


@pytest.mark.slow
def test_changing_the_original_is_recorded_and_spoils_nothing(record, make_workspace, quick_method, original):
    """The pipeline loads an original of its own, and the cache keeps outputs by the weights behind them."""
    before, shared = state_of(original), make_workspace()
    found = record(Simple(shift_original), "spoiler", where=shared)
    assert found.status == "failed"
    assert "changed the original; use problem.copy_of_original()" in found.reason
    assert all(torch.equal(value, before[name]) for name, value in original.state_dict().items())
    after = record(quick_method("mmul"), "mmul", where=shared)
    clean = record(quick_method("mmul"), "mmul", where=make_workspace())
    assert after.status == clean.status == "done"
    assert after.values == clean.values


def test_a_raising_method_is_recorded_with_its_place(record):
    def broken(problem):
        raise KeyError("no such\nthing")

    found = record(Simple(broken))
    line, source = broken.__code__.co_firstlineno + 1, 'raise KeyError("no such\\nthing")'
    assert found.status == "failed"
    place = f"{_from_here(__file__)}:{line} in broken"
    assert found.reason == f"KeyError: 'no such\\nthing' ({place})"
    assert str(found.trace[-1]) == f"{place}: {source}"
    assert [one.function for one in found.trace] == ["unlearn", "broken"]


def _from_here(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def test_the_traceback_is_shown_where_it_is_asked_for(emoji, make_workspace, capsys):
    def broken(problem):
        return problem.copy_of_original().no_such_thing

    for debug in (False, True):
        progress = NotesOnly()
        progress.debug = debug
        shown = replace(make_workspace(), cache=emoji.workspace.cache, progress=progress)
        method = Simple(broken)
        run = Run(make_spec(emoji, "broken", method, 4, 42), method, "test", reference=False)
        result = execute(run, replace(emoji, workspace=shown), "always").result
        err = capsys.readouterr().err
        assert result.trace[-1].source == "return problem.copy_of_original().no_such_thing"
        assert ("Traceback (most recent call last):" in err) is debug
        assert ("torch/nn/modules/module.py" in err) is debug


def test_a_method_that_returns_no_model_is_recorded(record):
    found = record(Simple(lambda problem: None))
    assert found.status == "failed" and "NoneType" in found.reason


def test_a_method_that_does_not_apply_is_recorded(record):
    class Elsewhere(Simple):
        @classmethod
        def applies_to(cls, task):
            return f"not for {task.modalities[0]}s"

    found = record(Elsewhere(lambda problem: None))
    assert (found.status, found.reason) == ("not_applicable", "not for images")


def test_a_method_that_finds_no_use_for_the_model_is_recorded(record):
    def unlearn(problem):
        raise NotApplicable("needs a third encoder")

    found = record(Simple(unlearn))
    assert (found.status, found.reason) == ("not_applicable", "needs a third encoder")
    assert not found.values and found.cost is None


def test_a_try_that_fails_leaves_the_done_record_and_says_so(emoji, make_workspace):
    told = Told()
    prepared = replace(emoji, workspace=replace(make_workspace(), cache=emoji.workspace.cache, progress=told))

    def again(work):
        method = Simple(work)
        run = Run(make_spec(emoji, "kept", method, 4, 42), method, "test", reference=False)
        return execute(run, prepared, "always")

    first = again(lambda problem: problem.copy_of_original())
    assert (first.is_well, first.kept) == (True, None)
    told.lines.clear()  # so tiny an original may have learned nothing
    before = first.path.read_bytes()

    def broken(problem):
        raise MemoryError("no room")

    def useless(problem):
        raise NotApplicable("needs a third encoder")

    for work, status, reason in (
        (broken, "failed", "MemoryError: no room"),
        (useless, "not_applicable", "needs a third encoder"),
    ):
        stored = again(work)
        assert (stored.result.status, stored.kept, stored.is_well) == (status, first.result, False)
        assert first.path.read_bytes() == before
        said = f"{first.path} is done and stays as it was; this try: {status}, {reason}"
        assert told.lines.pop().startswith(said)


@pytest.mark.slow
def test_scores_by_unit_lie_beside_a_record_that_keeps_them(emoji, make_workspace):
    method, prepared = Simple(lambda problem: problem.copy_of_original()), make_workspace()
    prepared = replace(emoji, workspace=prepared)
    run = Run(make_spec(emoji, "kept", method, 4, 42), method, "test", units=True)
    made = execute(run, prepared, "always")
    assert made.result.units is not None
    found = read_units(made.path, made.result.units).to_pandas()
    units = {split: set(rows.unit) for split, rows in found.groupby("split")}
    assert units["forget"] == set(emoji.task.forget_units(emoji.data, 4, 42).tolist())
    assert units["test"] == set(emoji.data.test.units.tolist())
    assert units["retain"] <= set(emoji.data.train.units) - units["forget"]
    assert len(units["retain"]) == len(units["test"])
    assert len(found) == sum(map(len, units.values())) * len(made.result.histograms)
    assert (found.loss == found.original_loss).all() and (found.score == found.original_score).all()
    assert (found.loss != found.retrain_loss).mean() > 0.9
    assert execute(replace(run, units=False), prepared, "failed").is_new is False
    assert unit_file(made.path).exists()
    again = execute(replace(run, units=False), prepared, "always")
    assert again.result.run_id == made.result.run_id and again.result.units is None
    assert not unit_file(made.path).exists()


MOST_REACHED = 1_000_000
"""Objects after which a walk is taken to have no end; a problem has a few dozen."""


def reachable(root):
    """Everything that can be reached through attributes, items and keys."""
    seen, queue = {}, [root]
    while queue:
        item = queue.pop()
        if id(item) in seen or isinstance(item, str | bytes | int | float | type(None) | type):
            continue
        seen[id(item)] = item
        if isinstance(item, dict):
            queue += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set):
            queue += item
        elif not isinstance(item, torch.Tensor | torch.nn.Module):
            queue += vars(item).values() if hasattr(item, "__dict__") else ()
            # Properties of others' classes may make new objects for ever.
            for name in dir(type(item)) if type(item).__module__.startswith("mmulbench.") else ():
                if isinstance(getattr(type(item), name, None), property):
                    with contextlib.suppress(Exception):
                        queue.append(getattr(item, name))
        assert len(seen) < MOST_REACHED, Counter(type(one).__qualname__ for one in seen.values()).most_common(
            5
        )
    return list(seen.values())


def test_the_test_split_cannot_be_reached_from_a_problem(make_problem, emoji):
    problem = make_problem()
    problem.outputs.fused(problem.retain.batch(problem.retain.split.rows[:1] * 0))
    found, test = reachable(problem), emoji.data.test
    assert not [item for item in found if isinstance(item, TaskData | EvaluationSets | PreparedTask)]
    splits = [item for item in found if isinstance(item, Split)]
    assert len(splits) >= 4, "the walk must get as far as the splits it may see"
    assert not [split for split in splits if set(split.units) & set(test.units)]
    relations = [item for item in found if isinstance(item, Relations)]
    first, second = torch.from_numpy(test.first), torch.from_numpy(test.second)
    assert relations and not any(item.pairwise(first, second).any() for item in relations)
    assert emoji.relations.pairwise(first, second).all()
