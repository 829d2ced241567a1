from __future__ import annotations

from dataclasses import replace

import pytest

from mmulbench.errors import UsageError
from mmulbench.exports.read import open_model
from mmulbench.handover.save import ModelFolder, card_of
from mmulbench.records.schema import ForgetList
from mmulbench.records.store import ResultsStore
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.references import weights_digest
from mmulbench.runs.run_spec import make_spec


@pytest.fixture(scope="module")
def emoji(emoji, tmp_path_factory) -> PreparedTask:
    """The problem of all tests, with records that these tests alone write."""
    store = ResultsStore(tmp_path_factory.mktemp("results"))
    return replace(emoji, workspace=replace(emoji.workspace, store=store))


@pytest.fixture(scope="module")
def made(emoji, quick_method):
    """A run whose model is kept."""
    method = quick_method("finetune")
    run = Run(make_spec(emoji, "finetune", method, 4, 42), method, "mmulbench run", keep=True)
    return run, execute(run, emoji, "failed")


def test_the_model_that_is_written_is_the_one_that_was_judged(made, emoji, tmp_path):
    _, stored = made
    folder = ModelFolder(tmp_path / "model")
    folder.check()
    folder.deliver(stored, emoji)
    opened = open_model(str(tmp_path / "model"))
    assert weights_digest(opened.load(emoji.task.shape)) == stored.result.weights
    assert stored.result.run_id in (tmp_path / "model" / "README.md").read_text()
    with pytest.raises(UsageError, match="is there already"):
        folder.check()


def test_the_model_of_a_record_that_is_found_is_made_again(made, emoji):
    run, stored = made
    again = execute(run, emoji, "failed")
    assert not again.is_new and again.model is not None
    assert weights_digest(again.model) == stored.result.weights
    assert execute(replace(run, keep=False), emoji, "failed").model is None


def test_several_runs_have_a_folder_each(made, tmp_path):
    _, stored = made
    assert ModelFolder(tmp_path / "x", several=True).of(stored.result) == tmp_path / "x" / "finetune-42"


def test_a_run_without_a_model_leaves_no_folder(made, emoji, tmp_path):
    _, stored = made
    ModelFolder(tmp_path / "model").deliver(replace(stored, model=None), emoji)
    assert not (tmp_path / "model").exists()


def test_a_card_names_what_was_forgotten_by_counts_and_digest_alone(made):
    record = made[1].result
    card = card_of(record)
    assert (card.units, card.method, card.record) == (4, "finetune", record.run_id)
    assert card.pairs == sum(record.by_unit["pairs"]) and card.forget_digest.startswith("drawn by the seed")
    assert "finetune" in card.verdict
    named = ForgetList(digest="a" * 64, level="units", pairs=9)
    listed = record.model_copy(
        update={"spec": record.spec.model_copy(update={"forget": named}), "forget_ids": ("secret",)}
    )
    assert (card_of(listed).pairs, card_of(listed).forget_digest) == (9, "a" * 64)
    assert "secret" not in repr(card_of(listed))
