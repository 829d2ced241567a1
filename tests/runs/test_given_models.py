"""Models that were trained elsewhere: a fine-tuned CLIP as the original, beside each kind of reference."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from fine_tuned import LIMIT, RECIPE, fresh
from hub_cache import COMMIT, OTHER_COMMIT, put

from mmulbench.core.registry import TASKS
from mmulbench.core.reproduce import command_of
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.progress import Progress
from mmulbench.records.schema import RunResult
from mmulbench.runs.given_models import find_models
from mmulbench.runs.request import Request
from mmulbench.runs.session import run_session
from mmulbench.validity.record import faults

UNITS = 24


@dataclass
class Given:
    start: Path
    original: Path
    retrain: Path
    request: Request

    def run(self, method: str = "finetune", **options: object) -> RunResult:
        asked = {"methods": (method,), "original": str(self.original), **options}
        (stored,) = run_session(self.request.model_copy(update=asked), Progress())
        return stored.result


@pytest.fixture(scope="module")
def given(tmp_path_factory, checkpoints) -> Given:
    root = tmp_path_factory.mktemp("given")
    request = Request(
        task="emoji",
        forget_size=str(UNITS),
        settings=(f"task.limit={LIMIT}", "epochs=1", f"recipe.epochs={RECIPE.epochs}"),
        results_dir=root / "results",
        cache_dir=root / "cache",
        device="cpu",
        untuned=True,
    )
    return Given(checkpoints.start, checkpoints.original, checkpoints.retrain, request)


@pytest.mark.slow
def test_beside_a_retrain_that_is_given(given):
    found = given.run(retrain=str(given.retrain))
    assert found.status == "done"
    assert found.spec.given["original"].startswith("clip:clip-original@")
    assert found.spec.backbone == found.spec.given["original"]
    assert found.values["mia"].retrain is not None and found.start is None
    assert not found.has_unchecked_reference
    assert found.cost is not None and found.cost.seconds_ratio is None
    assert f"--original {given.original}@" in found.command and f"--retrain {given.retrain}@" in found.command
    assert "--backbone" not in found.command
    plain = tuple(one for one in given.request.settings if one != "epochs=1")
    own = given.run("retrain", retrain=str(given.retrain), settings=plain)
    assert own.cost is None and own.values["mia"].value == found.values["mia"].retrain
    untouched = given.run("original", retrain=str(given.retrain), settings=plain)
    assert untouched.values["mia"].value == found.values["mia"].original


@pytest.mark.slow
def test_beside_a_retrain_from_the_weights_of_before(given):
    found = given.run(retrain_from=str(given.start))
    assert found.spec.given == {"original": found.spec.given["original"]}
    assert found.spec.backbone.startswith("clip:clip-start@")
    assert found.start is not None
    assert found.cost is not None and found.cost.seconds_ratio is not None
    assert f"--retrain-from {given.start}@" in found.command


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Path:
    """An empty local cache of a hub that cannot be reached."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return Path(tmp_path / "hub")


@pytest.mark.slow
def test_models_on_a_hub_are_recorded_with_their_commits(given, hub):
    put(hub, "some-one/original", given.original)
    put(hub, "some-one/start", given.start, OTHER_COMMIT, "v1")
    found = given.run(original="some-one/original", retrain_from="clip:some-one/start@v1")
    digest = found.spec.given["original"].removeprefix("clip:some-one/original@")
    assert len(digest) == 12 and found.spec.backbone.startswith("clip:some-one/start@")
    assert found.revisions == {
        "original": f"some-one/original@{COMMIT}",
        "retrain-from": f"some-one/start@{OTHER_COMMIT}",
    }
    assert f"--original some-one/original@{COMMIT}@{digest} " in found.command
    assert f"--retrain-from some-one/start@{OTHER_COMMIT}@" in found.command
    assert faults(found) == [] and command_of(found) == found.command
    local = given.run(retrain_from=str(given.start))
    assert local.revisions == {} and local.values == found.values


def test_options_name_models_on_a_hub(hub, tmp_path):
    for name, seed in (("original", 1), ("retrain", 2), ("start", 3)):
        put(hub, f"some-one/{name}", fresh("clip", tmp_path / f"clip-{name}", seed))
    task = TASKS.get("emoji")()
    asked = Request(task="emoji", original="some-one/original", retrain="some-one/retrain@main")
    found, backbone = find_models(asked, None, task)
    assert found.labels["retrain"].startswith("clip:some-one/retrain@")
    assert found.revisions["retrain"] == f"some-one/retrain@{COMMIT}"
    assert found.arguments["--retrain"].startswith(f"some-one/retrain@{COMMIT}@")
    assert backbone.full_name.startswith("clip:some-one/original@")
    asked = Request(task="emoji", original="some-one/original", retrain_from=f"some-one/start@{COMMIT}")
    found, backbone = find_models(asked, None, task)
    assert found.name_of(backbone).startswith("clip:some-one/start@")
    assert found.revisions["retrain-from"] == f"some-one/start@{COMMIT}"
    asked = Request(task="emoji", original="some-one/originall", reference=False)
    with pytest.raises(UsageError, match=r"^the model some-one/originall is neither a folder here nor"):
        find_models(asked, None, task)


@pytest.mark.slow
def test_without_a_reference(given):
    found = given.run(reference=False)
    assert found.status == "done" and found.values["mia"].retrain is None
    assert found.command.endswith("--no-reference")
    for name in ("retrain", "kga"):
        settings = tuple(one for one in given.request.settings if name == "kga" or one != "epochs=1")
        refused = given.run(name, reference=False, settings=settings)
        assert refused.status == "not_applicable"
        assert refused.reason is not None and "give --retrain-from" in refused.reason


@pytest.mark.slow
def test_a_retrain_that_has_seen_the_forget_set_is_none(given, tmp_path):
    again = shutil.copytree(given.original, tmp_path / "clip-again")
    with pytest.raises(UsageError, match="--retrain is the original itself, weight for weight"):
        given.run(retrain=str(again))
    with pytest.raises(UsageError, match="--retrain-from is the original itself"):
        given.run(retrain_from=str(given.original))
    with pytest.raises(MmulbenchError, match="the model of --retrain has seen the forget set"):
        given.run(original=str(given.retrain), retrain=str(given.original))


@pytest.mark.slow
def test_no_epochs_leave_a_checkpoint_as_it_is(given):
    words = (*given.request.settings[:-1], "recipe.epochs=0")
    with pytest.raises(UsageError, match=r"recipe\.epochs=0 trains nothing, so that retrain"):
        given.run(retrain_from=str(given.start), settings=words)
    plain = given.run(original=None, backbone=f"clip:{given.original}", reference=False, settings=words)
    same = given.run(reference=False)
    assert plain.values["mia"].original == same.values["mia"].original


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retrain": "x"}, "--retrain goes with --original"),
        ({"retrain_from": "x"}, "--retrain-from goes with --original"),
        ({"original": "x"}, "give --retrain-from, the weights that it was fine-tuned from"),
        ({"original": "x", "retrain": "y", "reference": False}, "--retrain and --no-reference contradict"),
        (
            {"original": "x", "retrain": "y", "shadows": 4},
            "--shadows compares with originals that are",
        ),
        ({"original": "x", "retrain": "y", "backbone": "clip"}, "leave out --backbone"),
        ({"original": "nowhere", "retrain": "y"}, "the model nowhere is not there"),
    ],
)
def test_options_that_contradict_each_other(options, message):
    backbone = options.pop("backbone", None)
    with pytest.raises(UsageError, match=message):
        find_models(Request(task="emoji", **options), backbone, TASKS.get("emoji")())


def test_random_weights_have_nothing_to_forget():
    request = Request(task="emoji", methods=("finetune",), settings=("recipe.epochs=0",))
    with pytest.raises(UsageError, match=r"recipe\.epochs=0 trains nothing, and random weights have nothing"):
        next(run_session(request, Progress()))
