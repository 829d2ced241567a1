"""Real tiny checkpoints: before any training, after it on all pairs, and after it without the forget set."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fine_tuned import fresh, opened
from safetensors.torch import load_file, save_file

from mmulbench.backbones._pretrained.provenance import TRAINED_ON
from mmulbench.cli.app import main
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.registry import METHODS
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.metrics.memory import LIMIT, Memory, UnitAuc
from mmulbench.records.schema import RunResult
from mmulbench.report.verdict import verdict
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.run_spec import make_spec
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.shadow_models import Shadows
from mmulbench.runs.start_check import refuse_seen
from mmulbench.tuning.judge import make_judge

SEED, UNITS = 42, 24


@pytest.fixture(scope="module")
def base(checkpoints, workspace) -> PreparedTask:
    """A CLIP that saw nothing."""
    return opened(checkpoints.start, workspace)


@pytest.fixture(scope="module")
def seen(checkpoints, workspace) -> PreparedTask:
    """The same, trained on all training pairs."""
    return opened(checkpoints.original, workspace)


@pytest.fixture(scope="module")
def without(checkpoints, workspace) -> PreparedTask:
    """The same, trained on all but the forget set of `UNITS` units."""
    return opened(checkpoints.retrain, workspace)


def forget_set(prepared: PreparedTask, units: int = UNITS) -> Scenario:
    return Scenario(prepared, ForgetSet(prepared.task.forget_units(prepared.data, units, SEED)), SEED)


def run_of(prepared: PreparedTask, name: str = "original", *, reference: bool = True, units=UNITS) -> Run:
    method = METHODS.get(name)()
    spec = make_spec(prepared, name, method, units, SEED)
    return Run(spec, method, "test", reference=reference)


def made(prepared: PreparedTask, name: str = "original", *, reference: bool = True) -> RunResult:
    result = execute(run_of(prepared, name, reference=reference), prepared, "failed").result
    assert result.status == "done", result.reason
    return result


def entries(prepared: PreparedTask, kind: str) -> set[Path]:
    return set((prepared.workspace.cache.folder(kind, {}).parent).glob("[0-9a-f]*"))


def test_random_weights_are_not_looked_at(emoji):
    before = entries(emoji, "start")
    scenario = forget_set(emoji, 4)
    assert scenario.start is None
    assert scenario.retrain().model is not None
    assert entries(emoji, "start") == before


@pytest.mark.parametrize("units", [1, 2, 4, UNITS])
def test_weights_that_saw_the_forget_set_are_refused(seen, units):
    with pytest.raises(MmulbenchError) as refused:
        _ = forget_set(seen, units).start
    said = str(refused.value)
    assert refused.value.exit_code == 1 and "\n" not in said
    assert said.startswith(f"{seen.backbone.full_name} has seen the ")
    assert "contrastive loss (AUC " in said and "utility is" in said
    assert "retrain from it is no reference" in said and "--no-reference" in said and "--backbone" in said


def test_weights_that_saw_nothing_are_welcome(base):
    start = forget_set(base).start
    assert start is not None and list(start.forget) == ["contrastive"]
    assert start.forget["contrastive"].low < 0.5 < start.forget["contrastive"].high
    assert abs(start.utility["forget"] - start.utility["test"]) < 0.1
    assert start.limit == LIMIT


def test_both_paths_of_a_model_that_fuses_are_looked_at(tmp_path, workspace):
    start = forget_set(opened(fresh("blip", tmp_path / "blip-start"), workspace)).start
    assert start is not None and list(start.forget) == list(start.retain) == ["contrastive", "matching"]


def test_weights_that_saw_the_retain_set_alone_are_welcome(without):
    start = forget_set(without).start
    assert start is not None
    assert start.retain["contrastive"].low > LIMIT > start.forget["contrastive"].low
    with pytest.raises(MmulbenchError, match="training data, and nothing shows that the forget set was left"):
        _ = forget_set(without, 1).start  # one unit shows nothing


def test_a_head_is_fitted_where_the_one_for_the_classes_is_new(checkpoints, workspace):
    """tests/evaluation/test_probe.py has encoders that know the pairs."""
    start = forget_set(opened(checkpoints.start, workspace, "flags_ve", 60), 8).start
    assert start is not None and list(start.forget) == ["classification", "probe"]


def test_what_is_found_is_kept_and_read_again(seen):
    """Nothing is measured a second time, and the second time says the same."""
    said = []
    for _ in range(2):
        with pytest.raises(MmulbenchError) as refused:
            forget_set(seen).retrain()
        said.append(str(refused.value))
        shutil.rmtree(seen.workspace.cache.folder("measurements", {}).parent, ignore_errors=True)
    assert said[0] == said[1] and not entries(seen, "measurements")


def test_no_model_that_stands_for_retrain_can_be_had(seen):
    before = {kind: entries(seen, kind) for kind in ("retrain", "confidence")}
    scenario = forget_set(seen)
    shadows = Shadows(scenario)
    for have in (
        scenario.retrain,
        lambda: shadows.second_retrain(1),
        lambda: shadows.retrain(1),
        lambda: shadows.retrain_again(0),
        lambda: make_judge(seen, UNITS, 1, 0.5),
    ):
        with pytest.raises(MmulbenchError, match="no reference"):
            have()
    assert {kind: entries(seen, kind) for kind in before} == before


@pytest.mark.parametrize(
    ("name", "reference"),
    [("original", True), ("retrain", True), ("retrain", False), ("retrain_again", False)],
)
def test_no_record_comes_of_it(seen, name, reference):
    run, originals = run_of(seen, name, reference=reference), entries(seen, "original")
    with pytest.raises(MmulbenchError, match="has seen the forget set"):
        execute(run, seen, "always")
    assert seen.workspace.store.find(run.spec) is None
    assert entries(seen, "original") == originals, "trained in vain"


def test_without_a_reference_it_may_be_measured(seen):
    result = made(seen, reference=False)
    assert result.start is None and not any(value.retrain for value in result.values.values())
    assert result.values["retrain_gap"].value is None
    assert "cannot be judged" in verdict(result)
    with pytest.raises(MmulbenchError, match="no reference"):
        execute(run_of(seen), seen, "failed")  # the same run with a reference


def test_a_record_says_what_was_found_and_one_that_does_not_counts_for_nothing(base, make_workspace):
    own = replace(base, workspace=replace(make_workspace(), cache=base.workspace.cache))
    store, result = own.workspace.store, made(own)
    assert result.start == forget_set(base).start is not None
    assert "start" in result.model_dump(mode="json")
    assert not result.has_unchecked_reference and store.load_all()[0] == [result]

    old = result.model_copy(update={"start": None})
    assert "start" not in old.model_dump(mode="json") and old.run_id == result.run_id
    store.write(old)
    records, left_out = store.load_all()
    assert not records and "not checked for the forget set" in left_out[0].reason
    assert "cannot be judged: retrain's initial weights were not checked" in verdict(old)
    assert made(own).start == result.start, "made again"
    assert store.load_all()[0][0].start == result.start


@pytest.mark.parametrize(
    ("trained_on", "refused"),
    [("{fingerprint}", True), ("data/emoji_train.json", True), ("data/coco_train.json", False)],
)
def test_weights_that_say_what_they_saw(base, checkpoints, tmp_path, workspace, trained_on, refused):
    folder = Path(shutil.copytree(checkpoints.start, tmp_path / "clip-says"))
    path = folder / "model.safetensors"
    name = trained_on.format(fingerprint=base.data.fingerprint)
    save_file(load_file(path), path, {"format": "pt", TRAINED_ON: f'["{name}"]'})
    scenario = forget_set(opened(folder, workspace))
    if not refused:
        assert scenario.start is not None
        return
    with pytest.raises(UsageError, match=r"says that it was trained on .*, the training data of emoji"):
        _ = scenario.start


def test_the_path_that_shows_most_is_named():
    """Of several, one on which the forget set itself shows."""
    nothing = UnitAuc(0.5, 0.4, 0.6)
    clear = UnitAuc(0.9, 0.8, 1.0)
    paths = {
        "a": Memory(nothing, clear, nothing),
        "b": Memory(clear, clear, nothing),
        "c": Memory(nothing, nothing, nothing),
    }
    utility = {"forget": 0.9, "test": 0.1}
    with pytest.raises(MmulbenchError, match="x has seen the forget set: before any training, b loss"):
        refuse_seen("x", paths, utility, 30)
    with pytest.raises(MmulbenchError, match="x has seen the training data, and nothing"):
        refuse_seen("x", {"a": paths["a"]}, utility, 30)
    refuse_seen("x", {"c": paths["c"]}, utility, 30)


def test_many_forget_sets_that_were_not_seen(base):
    """None is taken for seen, though the weights have their whims."""
    rng = np.random.default_rng(0)
    units = base.data.train.units
    for seed in range(10):
        forget = np.sort(rng.permutation(units)[:UNITS])
        assert Scenario(base, ForgetSet(forget), seed).start is not None


def test_no_command_takes_it_for_a_reference(checkpoints, tmp_path, monkeypatch, capsys):
    """No command makes a record, a row or a verdict of it, unless nobody asks for a reference."""
    monkeypatch.chdir(tmp_path)
    what = ["-m", "finetune", "-t", "emoji", "-b", f"clip:{checkpoints.original}", "--device", "cpu"]
    what += ["--set", "task.limit=200", "--set", "recipe.epochs=1", "--forget-size", "24"]
    one_epoch = ["--set", "epochs=1"]

    def refused(*words: str) -> None:
        assert main([*words]) == 1
        out, err = capsys.readouterr()
        last = err.splitlines()[-1]
        assert last.startswith("mmulbench: clip:clip-original@") and "is no reference" in last
        assert out == "" and not list(tmp_path.glob("results/**/*.json"))

    refused("run", *what, *one_epoch)
    refused("run", *what, *one_epoch, "--shadows", "7")

    assert main(["sweep", *what, "--set", "finetune.epochs=1", "--executor", "debug", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["counts"] == {"failed": 3}
    assert main(["leaderboard"]) == 0
    assert "clip" not in capsys.readouterr().out

    assert main(["run", *what, *one_epoch, "--no-reference"]) == 0
    assert "finetune cannot be judged" in capsys.readouterr().out.replace("\n", " ")
